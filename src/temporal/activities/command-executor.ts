import { LRUCache } from 'lru-cache';
import { snapshotModelOf } from '../../core/aggregates/aggregate-repository.js';
import { AggregateRoot } from '../../core/aggregates/aggregate-root.js';
import {
  assertStateIsJson,
  loadState,
  type LoadedState,
  type StateBuilder,
} from '../../core/aggregates/load-state.js';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { CommandFailedError } from '../../core/errors/errors.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { CommitChain, Snapshot, SnapshotStore } from '../../core/store/capabilities.js';
import type { EventStore } from '../../core/store/event-store.js';
import { streamId } from '../../core/store/stream-id.js';
import { describeError } from '../../core/values/describe-error.js';
import type { CommandOutcome, ExecuteRequest, LaneCommand } from '../shared/command-lane.js';
import { fromErrorMessage, toErrorMessage } from '../shared/error-message.js';
import type { AggregateRegistry, AnyAggregate } from './aggregate-registry.js';
import { behaviourOf } from './behaviour.js';
import type { CommandMetrics } from './command-metrics.js';
import { commandHashOf } from './decide-commands.js';
import { executeOnStream } from './execute-on-stream.js';

export interface CommandExecutorOptions {
  readonly store: EventStore & CommitChain;
  readonly aggregates: AggregateRegistry;
  readonly snapshots: SnapshotStore | undefined;
  /** Events between two snapshots of a stream. */
  readonly snapshotEvery: number;
  /** Most states that are kept in memory. */
  readonly maxStates: number;
  readonly onWarning: (message: string, attributes: Record<string, unknown>) => void;
}

/** The commands of one aggregate in one batch, and what is known of them so far. */
interface Execution {
  readonly outcomes: ReadonlyMap<LaneCommand, CommandOutcome>;
  /** Never rejects. */
  readonly done: Promise<void>;
}

/** Milliseconds that what went on after its batch is remembered, for the batch in which its commands come again. */
const keptFor = 60_000;

/** Executes batches of commands, with the states of the aggregates that were last used at hand. */
export class CommandExecutor {
  readonly #options: CommandExecutorOptions;
  /** By stream. One that is in use is taken out, so that nobody else changes it. */
  readonly #states: LRUCache<string, LoadedState<unknown>>;
  /** By stream, those that were not done when their batch was answered. */
  readonly #left = new LRUCache<string, Execution>({ max: 1_000, ttl: keptFor });

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
    this.#states = new LRUCache({ max: options.maxStates });
  }

  /**
   * Executes the commands of each aggregate by themselves: what is broken or slow about one is no other's.
   *
   * @param metadata of every event
   * @throws what keeps the store from answering, where the request has no `yieldAfter`; it may then be made again
   */
  async execute(
    request: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Promise<readonly CommandOutcome[]> {
    const { category, commands, yieldAfter } = request;
    const aggregate = this.#options.aggregates.get(category);
    const byId = new Map<string, LaneCommand[]>();
    for (const command of commands) {
      const ofId = byId.get(command.id);
      if (ofId === undefined) byId.set(command.id, [command]);
      else ofId.push(command);
    }
    // At once, so that the store appends them together.
    const executions = new Map<string, Execution>();
    for (const [id, ofId] of byId) {
      executions.set(id, this.#start(aggregate, id, ofId, request, metadata, metrics));
    }
    const done = Promise.all(Array.from(executions.values(), (execution) => execution.done));
    if (yieldAfter === undefined) await done;
    else await this.#yieldAfter(yieldAfter, done, category, executions);

    const outcomes = commands.map(
      (command) => executions.get(command.id)?.outcomes.get(command) ?? stillDeciding(command),
    );
    const open = outcomes.find((outcome) => outcome.kind === 'open');
    if (open !== undefined && yieldAfter === undefined) throw fromErrorMessage(open.error);
    return outcomes;
  }

  /** Waits until all are done, or for so long; what isn't done by then is found by the batch that asks again. */
  async #yieldAfter(
    milliseconds: number,
    done: Promise<unknown>,
    category: string,
    executions: ReadonlyMap<string, Execution>,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const time = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late');
      }, milliseconds);
    });
    const isLate = (await Promise.race([done, time])) === 'late';
    clearTimeout(timer);
    if (!isLate) return;
    for (const [id, execution] of executions) this.#left.set(streamId(category, id), execution);
  }

  #start(
    aggregate: AnyAggregate,
    id: string,
    commands: readonly LaneCommand[],
    request: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Execution {
    const outcomes = new Map<LaneCommand, CommandOutcome>();
    const stream = streamId(aggregate.category, id);
    const earlier = this.#left.get(stream);
    const run = async (): Promise<void> => {
      if (earlier !== undefined) await takeOver(earlier, commands, outcomes);
      const open = commands.filter((command) => !outcomes.has(command));
      if (open.length > 0) await this.#executeOn(aggregate, id, open, outcomes, request, metadata, metrics);
    };
    return { outcomes, done: run() };
  }

  #executeOn(
    aggregate: AnyAggregate,
    id: string,
    commands: readonly LaneCommand[],
    outcomes: Map<LaneCommand, CommandOutcome>,
    { timeLimit }: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Promise<void> {
    const { store, snapshots, snapshotEvery, onWarning } = this.#options;
    const stream = streamId(aggregate.category, id);
    const behaviour = behaviourOf(aggregate, id);
    const builder = namingTheEvent(stream, behaviour);
    const model = snapshotModelOf(aggregate);
    const ownSnapshots = isMadeForSnapshots(aggregate) ? snapshots : undefined;
    const states = this.#states;
    let snapshotVersion: number | undefined;
    return executeOnStream(
      {
        store,
        streamId: stream,
        behaviour,
        metadata,
        limits: {
          timeLimit,
          onBlocked: ({ name, commandId }, milliseconds) => {
            onWarning('A command blocked the event loop', {
              streamId: stream,
              command: name,
              commandId,
              milliseconds,
            });
          },
        },
        async take() {
          const cached = states.get(stream);
          states.delete(stream);
          metrics.onCacheLookup(cached !== undefined);
          const loaded =
            cached ??
            (await loadState(store, stream, builder, {
              snapshot: await ownSnapshots?.load(stream, model),
              onBrokenSnapshot: (error) => {
                onWarning('Snapshot not restored; the events are used', {
                  streamId: stream,
                  error: describeError(error),
                });
              },
            }));
          snapshotVersion ??= loaded.version;
          return loaded;
        },
        catchUp: (from) => loadState(store, stream, builder, { from }),
        async keep(loaded) {
          const { version, state } = loaded;
          const isDue =
            Math.floor(version / snapshotEvery) > Math.floor((snapshotVersion ?? version) / snapshotEvery);
          snapshotVersion = version;
          if (ownSnapshots !== undefined && isDue) {
            try {
              const shown = assertStateIsJson(behaviour.show(state), aggregate.category);
              await ownSnapshots.save(stream, model, version, shown);
            } catch (error) {
              onWarning('Snapshot failed', { streamId: stream, error: describeError(error) });
            }
          }
          // Only now may others change it.
          states.set(stream, loaded);
        },
        onConflict: () => {
          metrics.onConflict();
        },
        onFailure: (error, isOpen) => {
          onWarning(
            isOpen
              ? 'The store gave no answer to the commands of a stream'
              : 'The commands of a stream failed',
            {
              streamId: stream,
              commands: commands.map(({ name }) => name).slice(0, 10),
              error: describeError(error),
            },
          );
        },
      },
      commands,
      outcomes,
    );
  }
}

/** The outcomes of the commands that an earlier batch has left, when it is done with them. */
async function takeOver(
  earlier: Execution,
  commands: readonly LaneCommand[],
  outcomes: Map<LaneCommand, CommandOutcome>,
): Promise<void> {
  await earlier.done;
  const known = new Map(Array.from(earlier.outcomes.keys(), (command) => [command.commandId, command]));
  for (const command of commands) {
    const same = known.get(command.commandId);
    const outcome = same && earlier.outcomes.get(same);
    if (same === undefined || outcome === undefined || outcome.kind === 'open') continue;
    if (commandHashOf(same) === commandHashOf(command)) outcomes.set(command, outcome);
  }
}

function stillDeciding({ name }: LaneCommand): CommandOutcome {
  const error = new CommandFailedError(`The command '${name}' is still being decided.`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(error) };
}

/**
 * Whether nobody has to be asked for snapshots. A class may keep state that they can't see (`#private` fields, closures), so
 * it says that they hold all of it: by a `snapshotVersion`, or by methods of its own.
 */
function isMadeForSnapshots(aggregate: AnyAggregate): boolean {
  if (typeof aggregate !== 'function' || aggregate.snapshotVersion !== undefined) return true;
  const { prototype } = aggregate as { readonly prototype: AggregateRoot };
  const hasOwn = (method: 'toSnapshot' | 'restoreSnapshot'): boolean =>
    prototype[method] !== AggregateRoot.prototype[method];
  return hasOwn('toSnapshot') && hasOwn('restoreSnapshot');
}

/** Says which event it is that can't be applied. */
export function namingTheEvent<S>(stream: string, builder: StateBuilder<S>): StateBuilder<S> {
  return {
    create() {
      try {
        return builder.create();
      } catch (error) {
        throw new CommandFailedError(
          `The state of '${stream}' can't be built: it failed at its beginning with ${describeError(error)}. Nothing was stored.`,
          { cause: findEventStoreError(error) ?? error },
        );
      }
    },
    restore: (snapshot: Snapshot) => builder.restore(snapshot),
    apply(state, event) {
      try {
        return builder.apply(state, event);
      } catch (error) {
        const { version, type } = event;
        throw new CommandFailedError(
          `The state of '${stream}' can't be built: event ${version}, '${type}', failed with ${describeError(error)}. ` +
            `Nothing was stored.`,
          { cause: findEventStoreError(error) ?? error },
        );
      }
    },
  };
}
