import { findMismatch } from '../../../core/aggregates/command-hash.js';
import { partsOf } from '../../../core/aggregates/stored-commit.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import type { AppendResult, EventStore } from '../../../core/store/event-store.js';
import type { CommandOutcome, LaneCommand } from '../../shared/command-lane.js';
import { toErrorMessage } from '../../shared/error-message.js';
import { commandHashOf, homeOf } from './command-identity.js';
import { committedOutcome } from './outcomes.js';

/**
 * The outcome of a command that is already stored; undefined if it isn't.
 *
 * @param category of the aggregate, or name of the decision
 */
export async function findStored(
  store: EventStore,
  category: string,
  command: LaneCommand,
): Promise<CommandOutcome | undefined> {
  const commit = await store.findCommit(homeOf(category, command), command.commandId);
  if (commit === undefined) return undefined;
  const own = await eventsOf(store, commit);
  const metadata = own[0]?.metadata ?? {};
  const mismatch = findMismatch(commit, metadata['commandHash'], commandHashOf(category, command));
  if (mismatch !== undefined) return { kind: 'failed', error: toErrorMessage(mismatch) };
  const parts = await partsOf(store, commit, metadata);
  const others = await Promise.all(parts.slice(1).map((part) => eventsOf(store, part)));
  return committedOutcome([...own, ...others.flat()], parts, true);
}

async function eventsOf(
  store: EventStore,
  { streamId, version, eventIds }: AppendResult,
): Promise<readonly RecordedEvent[]> {
  const { events } = await store.readStream(streamId, {
    fromVersion: version - eventIds.length + 1,
    limit: eventIds.length,
  });
  return events;
}
