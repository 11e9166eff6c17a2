import { VersionConflictError } from '../errors/append-errors.js';
import { findEventStoreError, isEventStoreError } from '../errors/error-recognition.js';
import type { EventMetadata, EventToAppend } from '../events/event.js';
import { integerFrom, isName, isPlainObject } from '../options/options.js';
import { innermostOf } from '../store/decorated-store.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import { isPaced } from '../store/pacing.js';
import { pauseAfter, type Backoff } from '../values/backoff.js';
import { wait } from '../values/wait.js';
import { assertNotNested, isInCommand, runCommand } from './running-commands.js';
import { inTurn } from './turns.js';

/** Options of one command. */
export interface ExecuteOptions {
  /** Makes the command exactly-once: it becomes the id of the commit that the command causes. */
  readonly commandId?: string;
  /** Added to the metadata of each event; the event's own keys win. */
  readonly metadata?: EventMetadata;
  /**
   * How often the command is decided when other processes append to the stream at the same time, with pauses that grow
   * to a quarter of a second. Commands of one process take turns, and don't count as attempts. Default 20.
   */
  readonly maxAttempts?: number;
}

export const executeOptionChecks = {
  commandId: isName,
  metadata: isPlainObject,
  maxAttempts: integerFrom(1),
};

/** What a decision led to, or the commit of an earlier run of the same command. */
export type Execution<R> =
  | { readonly kind: 'decided'; readonly result: R; readonly version: number }
  | { readonly kind: 'deduplicated'; readonly commit: AppendResult };

const defaultAttempts = 20;
/** Calls in conflict must not come back together. */
const backoff: Backoff = {
  first: 10,
  longest: 250,
  // eslint-disable-next-line no-restricted-properties -- it decides nothing, and no workflow gets here
  jitter: { part: 1, random: () => Math.random() },
};

/**
 * Loads, decides, and appends with the loaded version as the expected one; does so again when another append came in
 * between.
 *
 * A command that is sent again after a success decides on a state that already holds its own events, so its answer
 * proves nothing. Whenever it fails, yields nothing or conflicts, the commit is looked up first. A command that goes
 * through at once pays nothing for that.
 *
 * @throws InvalidArgumentError when it is called inside a command to the same stream
 */
export async function executeCommand<S extends { readonly version: number }, R>(
  store: EventStore,
  streamId: string,
  options: ExecuteOptions,
  load: () => Promise<S>,
  decide: (state: S) => Promise<{ readonly events: readonly EventToAppend[]; readonly result: R }>,
): Promise<Execution<R>> {
  const innermost = innermostOf(store);
  assertNotNested(innermost, streamId);
  const execute = (): Promise<Execution<R>> =>
    attemptCommand(store, streamId, options, load, (state) =>
      runCommand(innermost, streamId, () => decide(state)),
    );
  // One that is called inside another doesn't wait: that which it would wait for may do the same.
  return isPaced(store) || isInCommand() ? execute() : inTurn(innermost, streamId, execute);
}

async function attemptCommand<S extends { readonly version: number }, R>(
  store: EventStore,
  streamId: string,
  options: ExecuteOptions,
  load: () => Promise<S>,
  decide: (state: S) => Promise<{ readonly events: readonly EventToAppend[]; readonly result: R }>,
): Promise<Execution<R>> {
  const { commandId, metadata, maxAttempts = defaultAttempts } = options;
  const earlierCommit = async (): Promise<Execution<R> | undefined> => {
    const commit = commandId === undefined ? undefined : await store.findCommit(streamId, commandId);
    return commit && { kind: 'deduplicated', commit };
  };
  for (let attempt = 1; ; attempt++) {
    const state = await load();
    const { version } = state;
    let decision;
    try {
      decision = await decide(state);
    } catch (error) {
      const earlier = await earlierCommit();
      if (earlier) return earlier;
      throw error;
    }
    const { events, result } = decision;
    if (events.length === 0) return (await earlierCommit()) ?? { kind: 'decided', result, version };
    try {
      const commit = await store.appendToStream(streamId, events, {
        expectedVersion: version,
        ...(commandId !== undefined && { commitId: commandId }),
        ...(metadata !== undefined && { metadata }),
      });
      return commit.deduplicated
        ? { kind: 'deduplicated', commit }
        : { kind: 'decided', result, version: commit.version };
    } catch (error) {
      const isConflict = isEventStoreError(error, 'VERSION_CONFLICT');
      if (!isConflict && !isEventStoreError(error, 'COMMIT_MISMATCH')) throw error;
      const earlier = await earlierCommit();
      if (earlier) return earlier;
      if (!isConflict) throw error;
      if (attempt >= maxAttempts) throw exhausted(error, attempt);
      if (isPaced(store)) continue;
      await wait(pauseAfter(attempt, backoff));
    }
  }
}

function exhausted(error: unknown, attempts: number): unknown {
  const conflict = findEventStoreError(error, 'VERSION_CONFLICT');
  if (conflict === undefined) return error;
  const { streamId, expectedVersion, actualVersion } = conflict;
  return new VersionConflictError(
    `Stream '${streamId}' was changed by others during each of ${attempts} attempts. Try again later, or raise maxAttempts.`,
    { streamId, expectedVersion, actualVersion, cause: error },
  );
}
