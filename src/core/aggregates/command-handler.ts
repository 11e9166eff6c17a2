import type { DomainEvent, EventToAppend } from '../events/event.js';
import { assertOptions, integerFrom, isPlainObject } from '../options/options.js';
import { storedFormOf } from '../store/append/stored-form.js';
import type { EventStore } from '../store/event-store.js';
import type { SnapshotStore } from '../store/snapshot.js';
import { streamId } from '../store/stream-id.js';
import { snapshotModelOf } from './aggregate-repository.js';
import { assertIsSynchronous } from './assert-is-synchronous.js';
import { assertSameCommand, hashCommand, withCommandHash } from './command-hash.js';
import { splitDecided, toAppends } from './decided-appends.js';
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
  /**
   * The events of its own stream that the command led to, as they are stored; undefined if the command had taken effect
   * before.
   */
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
   * @throws {@link VersionConflictError} when other appends were faster at every attempt, or another stream isn't at the
   *   version that the command expects of it
   * @throws {@link CommitMismatchError} when the `commandId` was used for another command
   * @throws {@link InvalidArgumentError} when a command appends to other streams, and to its own nothing, or when the store
   *   can't append to several streams
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
export function createCommandHandler<State, Command, E extends DomainEvent, Others extends DomainEvent = E>(
  store: EventStore,
  decider: Decider<State, Command, E, Others>,
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
      const execution = await executeCommand(store, withCommandHash(executeOptions, commandHash), {
        home: stream,
        turns: [stream],
        load: async () => {
          const snapshot = await options.snapshots?.load(stream, snapshotModelOf(decider));
          const { pageSize, pageBytes } = options;
          return loadState(store, stream, builder, { pageSize, pageBytes, snapshot });
        },
        decide: async ({ state, version }) => {
          const { own, others } = splitDecided(await decider.decide(state, command));
          const events = await asDecided(form, own);
          return {
            basis: { expectedVersion: version },
            appends: toAppends(stream, { own: events, others }),
            result: { events, version },
          };
        },
      });
      if (execution.kind === 'decided') {
        const { events, version } = execution.result;
        return { events, version: execution.parts[0]?.version ?? version, deduplicated: false };
      }
      await assertSameCommand(store, execution.commit, commandHash);
      return { events: undefined, version: execution.commit.version, deduplicated: true };
    },
  };
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
