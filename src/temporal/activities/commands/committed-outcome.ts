import type { DomainEvent } from '../../../core/events/event.js';
import type { AppendResult } from '../../../core/store/event-store.js';
import type { CommandOutcome } from '../../shared/command-lane.js';

/** The outcome of a command that stored these events. */
export function committedOutcome(
  events: readonly Pick<DomainEvent, 'type'>[],
  { version, position, eventIds }: AppendResult,
  deduplicated: boolean,
): CommandOutcome {
  return {
    kind: 'committed',
    version,
    position,
    types: events.map(({ type }) => type),
    eventIds,
    deduplicated,
  };
}
