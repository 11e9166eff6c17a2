import { partsOf } from '../../../core/aggregates/stored-commit.js';
import { CommitMismatchError } from '../../../core/errors/append-errors.js';
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
  const { commandId } = command;
  const streamId = homeOf(category, command);
  const commit = await store.findCommit(streamId, commandId);
  if (commit === undefined) return undefined;
  const own = await eventsOf(store, commit);
  const metadata = own[0]?.metadata ?? {};
  const storedHash = metadata['commandHash'];
  if (storedHash === undefined || storedHash === commandHashOf(category, command)) {
    const parts = await partsOf(store, commit, metadata);
    const others = await Promise.all(parts.slice(1).map((part) => eventsOf(store, part)));
    return committedOutcome([...own, ...others.flat()], parts, true);
  }
  const error = new CommitMismatchError(
    `The command id '${commandId}' was used on '${streamId}' for another command. Give each command an id of its own.`,
    { streamId, commitId: commandId },
  );
  return { kind: 'failed', error: toErrorMessage(error) };
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
