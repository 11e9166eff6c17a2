import {
  Runtime,
  type BundleOptions,
  type BundlerPlugin,
  type ReplayWorkerOptions,
  type Worker,
  type WorkerOptions,
  type WorkerPlugin,
} from '@temporalio/worker';
import { validatedElsewhere, assertOptions, isPlainObject } from '../../core/options/options.js';
import type { AnyProjection } from '../../core/projections/projection.js';
import type { StoreCapabilities } from '../../core/store/capabilities.js';
import type { CheckpointStore } from '../../core/store/checkpoint.js';
import type { EventStore } from '../../core/store/event-store.js';
import type { SnapshotStore } from '../../core/store/snapshot.js';
import {
  createAggregateActivities,
  createEventStoreActivities,
  createProjectionActivities,
  type ActivityLogger,
  type AnyAggregate,
  type AnyDecision,
  type CommandLaneOptions,
  type StateCacheOptions,
  type EventPublisher,
} from '../activities/index.js';
import { joinActivities } from './join-activities.js';
import { WorkflowBundles } from './workflow-bundles.js';
import { readyMadeWorkflowsPath } from './workflows-path.js';

export interface EventStorePluginOptions {
  readonly store: EventStore & Partial<StoreCapabilities>;
  /**
   * Called with the events of each append by the workflows `eventStoreAppend` and `eventStoreAppendStreams`, before they end, stream by
   * stream, and with what a workflow hands to `proxyEventPublisher`; again until it succeeds. It hears nothing else: no commands, no appends by
   * `proxyEventStore` or `proxyRepository` in a workflow, none to the store itself. Whoever wants all events gives `definePublisher` to `projections`.
   * Default: none.
   */
  readonly appendPublisher?: EventPublisher;
  /** Aggregate classes and deciders, for commands and `eventStoreReplay`, and decisions, for commands. Default: none. */
  readonly aggregates?: readonly (AnyAggregate | AnyDecision)[];
  /** Made by `defineProjection`, `definePublisher` and `defineReaction`; `ProjectionClient` starts them. Default: none. */
  readonly projections?: readonly AnyProjection[];
  /** Where projections without a sink keep their checkpoints. Default: the store's own, where it has them. */
  readonly checkpoints?: CheckpointStore;
  /** Default: those of the store, where it has them. */
  readonly snapshots?: SnapshotStore;
  /** A command makes a snapshot when this many events came since the last. Default 500. */
  readonly snapshotEvery?: number;
  /** Limits of the states kept in memory between commands. Default: 10,000 states and 64,000,000 bytes. */
  readonly cache?: StateCacheOptions;
  /** Settings of the lanes that this worker runs, from their next run on: when they end, how long a command may take. */
  readonly commandLanes?: CommandLaneOptions;
  /** Default: the activity's own logger, and the Temporal runtime's. */
  readonly logger?: ActivityLogger;
}

/** Activity slots of a worker that doesn't set a number. */
const defaultSlots = 100;

/**
 * Makes a worker serve the event store: adds the library's activities and, to a worker that has no workflows of its
 * own, the ready-made workflows. A worker with workflows of its own exports them there: `export * from
 * 'temporal-event-store/workflows'`. If it doesn't, a warning is logged when it starts: clients that call these
 * workflows there would get no answer.
 *
 * It adds only what is missing, so it may be registered on both the connection and the worker, and beside other
 * plugins; several of this class with the same store complete each other. A worker has one store: a plugin with
 * another is refused.
 *
 * @example
 * const worker = await Worker.create({ taskQueue: 'events', plugins: [new EventStorePlugin({ store })] });
 */
export class EventStorePlugin implements WorkerPlugin, BundlerPlugin {
  readonly name = 'temporal-event-store';
  readonly #activities: Record<string, unknown>;
  readonly #bundles = new WorkflowBundles();
  /** The activities that this plugin has configured. */
  readonly #configured = new WeakSet<object>();
  /** Most activity slots that the projections need: for each shard of the live build and of one beside it. */
  readonly #slots: number;
  readonly #looked = new WeakSet<Worker>();
  readonly #logger: ActivityLogger | undefined;

  /** @throws InvalidArgumentError for a missing store or an unknown option */
  constructor(options: EventStorePluginOptions) {
    assertOptions(
      'EventStorePlugin',
      options,
      {
        store: isPlainObject,
        appendPublisher: isPlainObject,
        aggregates: validatedElsewhere,
        projections: validatedElsewhere,
        checkpoints: validatedElsewhere,
        snapshots: isPlainObject,
        snapshotEvery: validatedElsewhere,
        cache: validatedElsewhere,
        commandLanes: validatedElsewhere,
        logger: isPlainObject,
      },
      ['store'],
    );
    const { store, appendPublisher, aggregates, projections, checkpoints, logger, ...execution } = options;
    this.#logger = logger;
    const snapshots = options.snapshots ?? store.snapshots;
    const shared = { store, ...(logger !== undefined && { logger }) };
    this.#activities = {
      ...createEventStoreActivities({ ...shared, ...(appendPublisher !== undefined && { appendPublisher }) }),
      ...(aggregates !== undefined &&
        createAggregateActivities({
          ...shared,
          ...execution,
          aggregates,
          ...(snapshots !== undefined && { snapshots }),
        })),
      // Even without projections: they are then left to other workers of the task queue.
      ...createProjectionActivities({
        ...shared,
        projections: projections ?? [],
        ...(checkpoints !== undefined && { checkpoints }),
      }),
    };
    this.#slots = 2 * (projections ?? []).reduce((sum, { shards }) => sum + shards, 0);
  }

  /** @throws InvalidArgumentError when the worker has activities of another store, or of another plugin that this one would hide */
  configureWorker(options: WorkerOptions): WorkerOptions {
    const activities = joinActivities(
      (options.activities ?? {}) as Record<string, unknown>,
      this.#activities,
    );
    const slots = this.#slotsFor(options);
    this.#configured.add(activities);
    return { ...this.#withWorkflows(options), activities, ...slots };
  }

  /**
   * A shard holds an activity slot for as long as it is projected, even while there is nothing to do. These slots are
   * added to the worker's own. A tuner is left alone.
   */
  #slotsFor(options: WorkerOptions): Pick<WorkerOptions, 'maxConcurrentActivityTaskExecutions'> {
    // It may be registered twice.
    const isConfigured = options.activities !== undefined && this.#configured.has(options.activities);
    if (options.tuner !== undefined || this.#slots === 0 || isConfigured) return {};
    const { maxConcurrentActivityTaskExecutions: others = defaultSlots } = options;
    return { maxConcurrentActivityTaskExecutions: others + this.#slots };
  }

  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return this.#withWorkflows(options);
  }

  configureBundler(options: BundleOptions): BundleOptions {
    return this.#bundles.watch(options);
  }

  runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const running = next(worker);
    // Only after `next`: the caller of `run` may shut the worker down at once.
    this.#lookForWorkflows(worker).catch(() => undefined);
    return running;
  }

  /** Warns only: the activities may serve the user's own workflows, here or on other task queues, which don't need ours. */
  async #lookForWorkflows(worker: Worker): Promise<void> {
    // It may be registered twice.
    if (this.#looked.has(worker)) return;
    this.#looked.add(worker);
    if (!(await this.#bundles.lackOurs(worker))) return;
    const { taskQueue } = worker.options;
    const logger = this.#logger ?? Runtime.instance().logger;
    logger.warn(
      `The workflows of this worker lack those of temporal-event-store: what AggregateClient, ProjectionClient and TemporalEventStore ` +
        `ask of the task queue '${taskQueue}' gets no answer from it. Add to the module of its workflows: ` +
        `export * from 'temporal-event-store/workflows'.`,
      { sdkComponent: 'worker', taskQueue },
    );
  }

  #withWorkflows<Options extends WorkerOptions | ReplayWorkerOptions>(options: Options): Options {
    if (options.workflowsPath !== undefined || options.workflowBundle !== undefined) return options;
    return { ...options, workflowsPath: readyMadeWorkflowsPath() };
  }
}
