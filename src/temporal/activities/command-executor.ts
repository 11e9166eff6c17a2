import { LRUCache } from 'lru-cache';
import { snapshotModelOf } from '../../core/aggregates/aggregate-repository.js';
import { assertStateIsJson, loadState, type LoadedState } from '../../core/aggregates/load-state.js';
import type { EventMetadata } from '../../core/events/event.js';
import type { CommitChain, SnapshotStore } from '../../core/store/capabilities.js';
import type { EventStore } from '../../core/store/event-store.js';
import { streamId } from '../../core/store/stream-id.js';
import type { CommandOutcome, ExecuteRequest, LaneCommand } from '../shared/command-lane.js';
import type { AggregateRegistry, AnyAggregate } from './aggregate-registry.js';
import { behaviourOf } from './behaviour.js';
import type { CommandMetrics } from './command-metrics.js';
import { executeOnStream } from './execute-on-stream.js';

export interface CommandExecutorOptions {
  readonly store: EventStore & CommitChain;
  readonly aggregates: AggregateRegistry;
  readonly snapshots: SnapshotStore | undefined;
  /** Events between two snapshots of a stream. */
  readonly snapshotEvery: number;
  /** Most states that are kept in memory. */
  readonly maxStates: number;
  readonly onSnapshotFailure: (streamId: string, error: unknown) => void;
}

/** Executes batches of commands, with the states of the aggregates that were last used at hand. */
export class CommandExecutor {
  readonly #options: CommandExecutorOptions;
  /** By stream. One that is in use is taken out, so that nobody else changes it. */
  readonly #states: LRUCache<string, LoadedState<unknown>>;

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
    this.#states = new LRUCache({ max: options.maxStates });
  }

  /**
   * @param metadata of every event
   * @throws what keeps the store from answering; the same request may then be made again
   */
  async execute(
    { category, commands }: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Promise<readonly CommandOutcome[]> {
    const aggregate = this.#options.aggregates.get(category);
    const byId = new Map<string, LaneCommand[]>();
    for (const command of commands) {
      const ofId = byId.get(command.id);
      if (ofId === undefined) byId.set(command.id, [command]);
      else ofId.push(command);
    }
    // Together, so that the store appends them together; and to the end, so that nothing goes on after a failure.
    const settled = await Promise.allSettled(
      [...byId].map(([id, ofId]) => this.#executeOn(aggregate, id, ofId, metadata, metrics)),
    );
    const outcomes = new Map<LaneCommand, CommandOutcome>();
    for (const result of settled) {
      if (result.status === 'rejected') throw result.reason;
      for (const [command, outcome] of result.value) outcomes.set(command, outcome);
    }
    return commands.map((command) => outcomes.get(command) as CommandOutcome);
  }

  #executeOn(
    aggregate: AnyAggregate,
    id: string,
    commands: readonly LaneCommand[],
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Promise<ReadonlyMap<LaneCommand, CommandOutcome>> {
    const { store, snapshots, snapshotEvery, onSnapshotFailure } = this.#options;
    const stream = streamId(aggregate.category, id);
    const behaviour = behaviourOf(aggregate, id);
    const model = snapshotModelOf(aggregate);
    const states = this.#states;
    let snapshotVersion: number | undefined;
    return executeOnStream(
      {
        store,
        streamId: stream,
        behaviour,
        metadata,
        async take() {
          const cached = states.get(stream);
          states.delete(stream);
          metrics.onCacheLookup(cached !== undefined);
          const loaded =
            cached ??
            (await loadState(store, stream, behaviour, { snapshot: await snapshots?.load(stream, model) }));
          snapshotVersion ??= loaded.version;
          return loaded;
        },
        catchUp: (from) => loadState(store, stream, behaviour, { from }),
        async keep(loaded) {
          const { version, state } = loaded;
          const isDue =
            Math.floor(version / snapshotEvery) > Math.floor((snapshotVersion ?? version) / snapshotEvery);
          snapshotVersion = version;
          if (snapshots !== undefined && isDue) {
            try {
              const shown = assertStateIsJson(behaviour.show(state), aggregate.category);
              await snapshots.save(stream, model, version, shown);
            } catch (error) {
              onSnapshotFailure(stream, error);
            }
          }
          // Only now may others change it.
          states.set(stream, loaded);
        },
        onConflict: () => {
          metrics.onConflict();
        },
      },
      commands,
    );
  }
}
