import { fileURLToPath } from 'node:url';
import type { ReplayWorkerOptions, WorkerOptions, WorkerPlugin } from '@temporalio/worker';
import type { AnyProjection } from '../../core/projections/projection.js';
import type { CheckpointStore, SnapshotStore, StoreCapabilities } from '../../core/store/capabilities.js';
import type { EventStore } from '../../core/store/event-store.js';
import { anything, assertOptions, isPlainObject } from '../../core/store/options.js';
import {
  createAggregateActivities,
  createEventStoreActivities,
  createProjectionActivities,
  type ActivityLogger,
  type AnyAggregate,
  type CommandLaneOptions,
  type EventPublisher,
} from '../activities/index.js';

export interface EventStorePluginOptions {
  readonly store: EventStore & Partial<StoreCapabilities>;
  /** Called with the events of each commit of `eventStoreAppend`. Default: none. */
  readonly publisher?: EventPublisher;
  /** Aggregate classes and deciders, for commands and `eventStoreReplay`. Default: none. */
  readonly aggregates?: readonly AnyAggregate[];
  /** Made by `defineProjection`, `definePublisher` and `defineReaction`; `ProjectionClient` starts them. Default: none. */
  readonly projections?: readonly AnyProjection[];
  /** Of projections without a sink. Default: those of the store, where it has them. */
  readonly checkpoints?: CheckpointStore;
  /** Default: those of the store, where it has them. */
  readonly snapshots?: SnapshotStore;
  /** A command makes a snapshot when this many events came since the last. Default 500. */
  readonly snapshotEvery?: number;
  /** The states that are kept in memory between commands. `max`: how many, default 10,000. */
  readonly cache?: { readonly max?: number };
  /** How the lanes that this worker runs behave, from their next run on: when they end, how long a command may take. */
  readonly commandLanes?: CommandLaneOptions;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
}

/** The ready-made workflows, beside this file in the package. */
const workflowsPath = fileURLToPath(new URL('./workflows.cjs', import.meta.url));

/**
 * Makes a worker serve the event store: adds the library's activities and, to a worker that has no workflows of its own,
 * the ready-made workflows. A worker with workflows of its own exports them there:
 * `export * from 'temporal-event-store/workflows'`.
 *
 * It adds only what is missing, so it may be registered on the connection and the worker at once, and beside other
 * plugins.
 *
 * @example
 * const worker = await Worker.create({ taskQueue: 'events', plugins: [new EventStorePlugin({ store })] });
 */
export class EventStorePlugin implements WorkerPlugin {
  readonly name = 'temporal-event-store';
  readonly #activities: Record<string, unknown>;

  /** @throws InvalidArgumentError for a missing store or an unknown option */
  constructor(options: EventStorePluginOptions) {
    assertOptions(
      'EventStorePlugin',
      options,
      {
        store: isPlainObject,
        publisher: isPlainObject,
        aggregates: anything,
        projections: anything,
        checkpoints: anything,
        snapshots: isPlainObject,
        snapshotEvery: anything,
        cache: anything,
        commandLanes: anything,
        logger: isPlainObject,
      },
      ['store'],
    );
    const { store, publisher, aggregates, projections, checkpoints, logger, ...execution } = options;
    const snapshots = options.snapshots ?? store.snapshots;
    const shared = { store, ...(logger !== undefined && { logger }) };
    this.#activities = {
      ...createEventStoreActivities({ ...shared, ...(publisher !== undefined && { publisher }) }),
      ...(aggregates !== undefined &&
        createAggregateActivities({
          ...shared,
          ...execution,
          aggregates,
          ...(snapshots !== undefined && { snapshots }),
        })),
      ...(projections !== undefined &&
        createProjectionActivities({
          ...shared,
          projections,
          ...(checkpoints !== undefined && { checkpoints }),
        })),
    };
  }

  configureWorker(options: WorkerOptions): WorkerOptions {
    return { ...this.#withWorkflows(options), activities: { ...this.#activities, ...options.activities } };
  }

  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return this.#withWorkflows(options);
  }

  #withWorkflows<Options extends WorkerOptions | ReplayWorkerOptions>(options: Options): Options {
    if (options.workflowsPath !== undefined || options.workflowBundle !== undefined) return options;
    return { ...options, workflowsPath };
  }
}
