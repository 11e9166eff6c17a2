import { AppendConditionFailedError, VersionConflictError } from '../errors/append-errors.js';
import type { EventStoreErrorOf } from '../errors/error-classes.js';
import { findEventStoreError, isEventStoreError } from '../errors/error-recognition.js';
import type { EventStoreError } from '../errors/event-store-error.js';
import type { EventMetadata } from '../events/event.js';
import { integerFrom, isName, isPlainObject } from '../options/options.js';
import { appendAtOnce } from '../store/append/append-at-once.js';
import type { MultiAppendOptions, StreamAppend } from '../store/append/multi-stream-appends.js';
import { innermostOf } from '../store/decorated-store.js';
import type { AppendCondition, AppendResult, EventStore } from '../store/event-store.js';
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
   * How often the command is decided when other processes append to the stream at the same time, or what a decision
   * depends on, with pauses that grow to a quarter of a second. Commands of one process take turns, and don't count as
   * attempts. Default 20.
   */
  readonly maxAttempts?: number;
}

/** What the library itself adds. */
export interface InnerExecuteOptions extends ExecuteOptions {
  readonly signal?: AbortSignal;
  /** Called each time that another append came in between. */
  readonly onConflict?: () => void;
}

export const executeOptionChecks = {
  commandId: isName,
  metadata: isPlainObject,
  maxAttempts: integerFrom(1),
};

/** How a command is executed: what it is decided on, and what it leads to. */
export interface CommandSteps<S, R> {
  /** The stream in which a repeat of the command is found. */
  readonly home: string;
  /** Commands of this process that have one of these in common take turns. */
  readonly turns: readonly string[];
  /** The state as it is now: called again when another append came in between. */
  load(): Promise<S>;
  decide(state: S): Promise<DecidedCommand<R>>;
}

interface DecidedCommand<R> {
  /** What the state was that it was decided on: the version of the home stream, or all that a condition takes. */
  readonly basis: { readonly expectedVersion: number } | { readonly condition: AppendCondition };
  /** For each stream, the home stream first; none when nothing changes. */
  readonly appends: readonly StreamAppend[];
  readonly result: R;
}

/** What a decision led to, or the commit of an earlier run of the same command. */
export type Execution<R> =
  | {
      readonly kind: 'decided';
      readonly result: R;
      /** As the appends; none when nothing changed. */
      readonly parts: readonly AppendResult[];
    }
  /** The commit of the home stream. */
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
 * Loads, decides, and appends on the condition that what was loaded is still so; does so again when another append came
 * in between.
 *
 * A command that is sent again after a success decides on a state that already holds its own events, so its answer
 * proves nothing. Whenever it fails, yields nothing or conflicts, the commit is looked up first. A command that goes
 * through at once pays nothing for that.
 *
 * @throws InvalidArgumentError when it is called inside a command with the same home stream
 */
export async function executeCommand<S, R>(
  store: EventStore,
  options: InnerExecuteOptions,
  steps: CommandSteps<S, R>,
): Promise<Execution<R>> {
  const innermost = innermostOf(store);
  assertNotNested(innermost, steps.home);
  const execute = (): Promise<Execution<R>> =>
    attemptCommand(store, options, {
      ...steps,
      load: () => steps.load(),
      decide: (state) => runCommand(innermost, steps.home, () => steps.decide(state)),
    });
  // One that is called inside another doesn't wait: that which it would wait for may do the same.
  return isPaced(store) || isInCommand()
    ? execute()
    : inTurn(innermost, steps.turns, execute, options.signal);
}

async function attemptCommand<S, R>(
  store: EventStore,
  options: InnerExecuteOptions,
  { home, load, decide }: Omit<CommandSteps<S, R>, 'turns'>,
): Promise<Execution<R>> {
  const { commandId, metadata, signal, maxAttempts = defaultAttempts, onConflict } = options;
  const appendOptions: MultiAppendOptions = {
    ...(commandId !== undefined && { commitId: commandId }),
    ...(metadata !== undefined && { metadata }),
    ...(signal !== undefined && { signal }),
  };
  const earlierCommit = async (): Promise<Execution<R> | undefined> => {
    const commit = commandId === undefined ? undefined : await store.findCommit(home, commandId);
    return commit && { kind: 'deduplicated', commit };
  };
  let conflict: EventStoreErrorOf<ConflictCode> | undefined;
  for (let attempt = 1; ; attempt++) {
    const state = await load();
    let decided;
    try {
      decided = await decide(state);
    } catch (error) {
      const earlier = await earlierCommit();
      if (earlier) return earlier;
      throw error;
    }
    const { appends, basis, result } = decided;
    if (appends.length === 0) return (await earlierCommit()) ?? { kind: 'decided', result, parts: [] };
    if (conflict !== undefined && isSureToConflict(conflict, appends)) throw conflict;
    try {
      const parts = await appendAtOnce(store, onBasis(appends, basis), {
        ...appendOptions,
        ...('condition' in basis && basis),
      });
      const [commit] = parts as readonly [AppendResult];
      return commit.deduplicated ? { kind: 'deduplicated', commit } : { kind: 'decided', result, parts };
    } catch (error) {
      conflict = findConflict(error);
      if (conflict === undefined && !isEventStoreError(error, 'COMMIT_MISMATCH')) throw error;
      if (conflict !== undefined) onConflict?.();
      const earlier = await earlierCommit();
      if (earlier) return earlier;
      if (conflict === undefined) throw error;
      if (attempt >= maxAttempts) throw exhausted(conflict, attempt);
      if (isPaced(store)) continue;
      await wait(pauseAfter(attempt, backoff), signal);
    }
  }
}

function onBasis(
  appends: readonly StreamAppend[],
  basis: DecidedCommand<unknown>['basis'],
): readonly StreamAppend[] {
  if ('condition' in basis) return appends;
  const [home, ...others] = appends as readonly [StreamAppend];
  return [{ ...home, ...basis }, ...others];
}

export type ConflictCode = 'VERSION_CONFLICT' | 'APPEND_CONDITION_FAILED';

/** The error when another append came in between. */
function findConflict(error: unknown): EventStoreErrorOf<ConflictCode> | undefined {
  return (
    findEventStoreError(error, 'VERSION_CONFLICT') ?? findEventStoreError(error, 'APPEND_CONDITION_FAILED')
  );
}

/**
 * Whether the command again expects of a stream what this stream is past: a version that it has left, or that it doesn't
 * exist. (What was loaded of the home stream isn't among these: a store may show it late.)
 */
export function isSureToConflict(
  conflict: EventStoreErrorOf<ConflictCode>,
  appends: readonly StreamAppend[],
): boolean {
  return (
    conflict.code === 'VERSION_CONFLICT' &&
    conflict.expectedVersion !== 'streamExists' &&
    appends.some(
      ({ streamId, expectedVersion }) =>
        streamId === conflict.streamId && expectedVersion === conflict.expectedVersion,
    )
  );
}

function exhausted(conflict: EventStoreErrorOf<ConflictCode>, attempts: number): EventStoreError {
  const advice = 'Try again later, or raise maxAttempts.';
  if (conflict.code === 'VERSION_CONFLICT') {
    const { streamId, expectedVersion, actualVersion } = conflict;
    return new VersionConflictError(
      `Stream '${streamId}' was changed by others during each of ${attempts} attempts. ${advice}`,
      { streamId, expectedVersion, actualVersion, cause: conflict },
    );
  }
  const { after, conflict: event } = conflict;
  return new AppendConditionFailedError(
    `Others appended what the command depends on during each of ${attempts} attempts, at last '${event.type}' to '${event.streamId}'. ${advice}`,
    { after, conflict: event, cause: conflict },
  );
}
