import { CommitMismatchError } from '../errors/append-errors.js';
import { uuidV5 } from '../events/event-id.js';
import type { EventMetadata } from '../events/event.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import { canonicalJson, findJsonFault } from '../values/json.js';
import { metadataOf } from './stored-commit.js';

/** Distinguishes a repeated command from another one with its id. Only a command that is JSON can be compared. */
export function hashCommand(command: unknown): string | undefined {
  return findJsonFault(command) === undefined ? uuidV5(canonicalJson(command)) : undefined;
}

/** Adds what a repeat of the command is known by to the metadata of its events. */
export function withCommandHash<O extends { readonly metadata?: EventMetadata }>(
  options: O,
  commandHash: string | undefined,
): O {
  return commandHash === undefined ? options : { ...options, metadata: { ...options.metadata, commandHash } };
}

/**
 * @param commit of an earlier run of the command
 * @throws CommitMismatchError when it was another command
 */
export async function assertSameCommand(
  store: EventStore,
  commit: AppendResult,
  commandHash: string | undefined,
): Promise<void> {
  if (commandHash === undefined) return;
  assertSameHash(commit, (await metadataOf(store, commit))['commandHash'], commandHash);
}

/** @throws CommitMismatchError */
export function assertSameHash(commit: AppendResult, stored: unknown, commandHash: string | undefined): void {
  const error = findMismatch(commit, stored, commandHash);
  if (error !== undefined) throw error;
}

/** The error when a stored commit is of another command; undefined if it isn't. */
export function findMismatch(
  { streamId, commitId }: AppendResult,
  stored: unknown,
  commandHash: string | undefined,
): CommitMismatchError | undefined {
  if (commandHash === undefined || stored === undefined || stored === commandHash) return undefined;
  return new CommitMismatchError(
    `The command id '${commitId}' was used on '${streamId}' for another command. Give each command an id of its own.`,
    { streamId, commitId },
  );
}
