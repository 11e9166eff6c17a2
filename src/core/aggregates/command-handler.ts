import { CommitMismatchError } from '../errors/append-errors.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { uuidV5 } from '../events/event-id.js';
import type { DomainEvent, EventToAppend } from '../events/event.js';
import { assertOptions, integerFrom, isPlainObject } from '../options/options.js';
import { storedFormOf } from '../store/append/stored-form.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import type { SnapshotStore } from '../store/snapshot.js';
import { streamId } from '../store/stream-id.js';
import { describeValue } from '../values/describe-value.js';
import { canonicalJson, findJsonFault } from '../values/json.js';
import { snapshotModelOf } from './aggregate-repository.js';
import { assertIsSynchronous } from './assert-is-synchronous.js';
import type { Decider } from './decider.js';
import { executeCommand, executeOptionChecks, type ExecuteOptions } from './execute-command.js';
import { loadState, type StateBuilder } from './load-state.js';
import { asDecided } from './raised-events.js';

export interface CommandHandlerOptions {
  /** Snapshots are read from here, and then only the events after them. Default: none; all events are read. */
  readonly snapshots?: SnapshotStore;
  /** Most events in a page. Default 500. */
  readonly pageSize?: number;
  /** Most bytes of JSON in a page, as `maxBytes` of a read. Default 4,000,000. */
  readonly pageBytes?: number;
}

export interface CommandResult<E extends DomainEvent> {
  /** The events that the command led to, as they are stored; undefined if the command had taken effect before. */
  readonly events: readonly EventToAppend<E>[] | undefined;
  /** Version of the stream after the command. */
  readonly version: number;
  /** True when the command had taken effect before. */
  readonly deduplicated: boolean;
}

export interface CommandHandler<Command, E extends DomainEvent> {
  /**
   * Loads the state, decides the command and appends its events, and does so again when another append came in between.
   * Sent again with its `commandId` after a success, the command stores nothing and returns the first version.
   *
   * @throws whatever `decide` throws, when nothing was stored
   * @throws {@link VersionConflictError} when other appends were faster at every attempt
   * @throws {@link CommitMismatchError} when the `commandId` was used for another command
   */
  execute(id: string, command: Command, options?: ExecuteOptions): Promise<CommandResult<E>>;
}

/**
 * Runs the commands of a decider on any {@link EventStore}.
 *
 * @throws InvalidArgumentError for an unknown option or a malformed category
 * @example
 * const accounts = createCommandHandler(store, account);
 * await accounts.execute('7', { type: 'Deposit', data: { amount: 5 } }, { commandId: request.id });
 */
export function createCommandHandler<State, Command, E extends DomainEvent>(
  store: EventStore,
  decider: Decider<State, Command, E>,
  options: CommandHandlerOptions = {},
): CommandHandler<Command, E> {
  assertOptions('createCommandHandler', options, {
    snapshots: isPlainObject,
    pageSize: integerFrom(1),
    pageBytes: integerFrom(1),
  });
  streamId(decider.category, 'any');
  const builder = deciderBuilder(decider);
  const form = storedFormOf(store);
  return {
    async execute(id, command, executeOptions = {}) {
      assertOptions('execute', executeOptions, executeOptionChecks);
      const stream = streamId(decider.category, id);
      const commandHash = executeOptions.commandId === undefined ? undefined : hashCommand(command);
      const execution = await executeCommand(
        store,
        stream,
        commandHash === undefined
          ? executeOptions
          : { ...executeOptions, metadata: { ...executeOptions.metadata, commandHash } },
        async () => {
          const snapshot = await options.snapshots?.load(stream, snapshotModelOf(decider));
          const { pageSize, pageBytes } = options;
          return loadState(store, stream, builder, { pageSize, pageBytes, snapshot });
        },
        async ({ state }) => {
          const events = await asDecided(form, assertIsEventList(await decider.decide(state, command)));
          return { events, result: events };
        },
      );
      if (execution.kind === 'decided') {
        return { events: execution.result, version: execution.version, deduplicated: false };
      }
      await assertSameCommand(store, execution.commit, commandHash);
      return { events: undefined, version: execution.commit.version, deduplicated: true };
    },
  };
}

/** @throws {@link InvalidArgumentError} */
export function assertIsEventList<E extends DomainEvent>(
  decided: readonly EventToAppend<E>[],
): readonly EventToAppend<E>[] {
  // In TypeScript it is one; the readonly type is lost in the check.
  const isList: boolean = Array.isArray(decided);
  if (isList) return decided;
  throw new InvalidArgumentError(
    `'decide' returned ${describeValue(decided)}. It returns the list of the events to append, an empty one when nothing changes.`,
  );
}

/** Builds the state of a decider up from its events. */
export function deciderBuilder<State, E extends DomainEvent>(
  decider: Pick<Decider<State, never, E>, 'initialState' | 'evolve'>,
): StateBuilder<State> {
  return {
    create: () => decider.initialState(),
    restore: ({ state }) => state as State,
    apply(state, event) {
      const next = decider.evolve(state, event as unknown as E);
      assertIsSynchronous('evolve', event.type, next);
      return next;
    },
  };
}

/** Distinguishes a repeated command from another one with its id. Only a command that is JSON can be compared. */
export function hashCommand(command: unknown): string | undefined {
  return findJsonFault(command) === undefined ? uuidV5(canonicalJson(command)) : undefined;
}

async function assertSameCommand(
  store: EventStore,
  { streamId, commitId, version }: AppendResult,
  commandHash: string | undefined,
): Promise<void> {
  if (commandHash === undefined) return;
  const slice = await store.readStream(streamId, { fromVersion: version, limit: 1 });
  const stored = slice.events[0]?.metadata['commandHash'];
  if (stored === undefined || stored === commandHash) return;
  throw new CommitMismatchError(
    `The command id '${commitId}' was used on '${streamId}' for another command. Give each command an id of its own.`,
    { streamId, commitId },
  );
}
