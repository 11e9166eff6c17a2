import { lastPosition } from '../../../core/aggregates/stored-commit.js';
import type { DomainEvent } from '../../../core/events/event.js';
import type { AppendResult } from '../../../core/store/event-store.js';
import type { CommandOutcome } from '../../shared/command-lane.js';

/**
 * The outcome of a command that stored these events.
 *
 * @param events of all parts, in their order
 * @param parts for each stream that it appended to, its own first
 */
export function committedOutcome(
  events: readonly Pick<DomainEvent, 'type'>[],
  parts: readonly AppendResult[],
  deduplicated: boolean,
): CommandOutcome {
  const [own] = parts as readonly [AppendResult];
  return {
    kind: 'committed',
    version: own.version,
    position: lastPosition(parts),
    types: events.map(({ type }) => type),
    eventIds: parts.flatMap(({ eventIds }) => eventIds),
    deduplicated,
  };
}
