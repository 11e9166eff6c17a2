import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { EventMetadata } from '../events/event.js';
import { assertOptions, integerFrom, isName, isPlainObject } from '../options/options.js';
import { appendAtOnce } from '../store/append/append-at-once.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import { storedFormOf, type StoredForm } from '../store/append/stored-form.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import type { SnapshotModel, SnapshotStore } from '../store/snapshot.js';
import { streamId } from '../store/stream-id.js';
import {
  assertIsCurrent,
  outdate,
  raiseAs,
  replay,
  restore,
  type AggregateClass,
  type AggregateRoot,
} from './aggregate-root.js';
import { toAppends } from './decided-appends.js';
import { executeCommand, executeOptionChecks, type ExecuteOptions } from './execute-command.js';
import { assertStateIsJson, loadState, type StateBuilder } from './load-state.js';
import { asRaised } from './raised-events.js';
import { assertSnapshotIsWhole } from './whole-snapshot.js';

export interface AggregateRepositoryOptions {
  /** Snapshots are read from here, and then only the events after them. Default: none; all events are read. */
  readonly snapshots?: SnapshotStore;
  /** Most events in a page. Default 500. */
  readonly pageSize?: number;
  /** Most bytes of JSON in a page, as `maxBytes` of a read. Default 4,000,000. */
  readonly pageBytes?: number;
}

export interface SaveOptions {
  /** Makes the save exactly-once: saved again with it, nothing is stored. */
  readonly commitId?: string;
  /** Added to the metadata of each event; the event's own keys win. */
  readonly metadata?: EventMetadata;
}

export interface ExecuteResult<R> {
  /** What the command returned; undefined when an earlier run of it was found. */
  readonly result: R | undefined;
  /** Version of the stream after the command. */
  readonly version: number;
  /** True when the command had taken effect before. */
  readonly deduplicated: boolean;
}

/**
 * Loads and saves the aggregates of one class. It works over any {@link EventStore}: in a service, an activity, or,
 * over a proxy, in a workflow.
 *
 * @example
 * const payments = new AggregateRepository(store, Payment);
 * await payments.execute('123', (payment) => payment.capture(4200), { commandId: request.id });
 */
export class AggregateRepository<A extends AggregateRoot> {
  readonly #store: EventStore;
  readonly #aggregate: AggregateClass<A>;
  readonly #options: AggregateRepositoryOptions;

  /** @throws {@link InvalidArgumentError} for an unknown option, or a class without a category */
  constructor(store: EventStore, aggregate: AggregateClass<A>, options: AggregateRepositoryOptions = {}) {
    assertOptions('AggregateRepository', options, {
      snapshots: isPlainObject,
      pageSize: integerFrom(1),
      pageBytes: integerFrom(1),
    });
    streamId(aggregate.category, 'any');
    this.#store = store;
    this.#aggregate = aggregate;
    this.#options = options;
  }

  /** The aggregate with its current state; a new one, of version 0, if it has no events. */
  async load(id: string): Promise<A> {
    const { snapshots, pageSize, pageBytes } = this.#options;
    const stream = this.#streamId(id);
    const snapshot = await snapshots?.load(stream, snapshotModelOf(this.#aggregate));
    const builder = aggregateBuilder(this.#aggregate, id, storedFormOf(this.#store));
    return (await loadState(this.#store, stream, builder, { pageSize, pageBytes, snapshot })).state;
  }

  /** The aggregate, or undefined if it has no events. */
  async find(id: string): Promise<A | undefined> {
    const aggregate = await this.load(id);
    return aggregate.version === 0 ? undefined : aggregate;
  }

  async exists(id: string): Promise<boolean> {
    const slice = await this.#store.readStream(this.#streamId(id), { limit: 1 });
    return slice.version > 0;
  }

  /**
   * Appends the uncommitted events, expecting the version that was loaded, and marks them as committed; with them, as one
   * commit, what goes to other streams. Saving an unchanged aggregate appends nothing and returns a result without event
   * ids, at position 0.
   *
   * @returns the result of the aggregate's own stream
   * @throws {@link VersionConflictError} when another append came first; the aggregate keeps its uncommitted events
   * @throws {@link InvalidEventError} when an event doesn't fit its schema, or would be stored differently from how the
   *   aggregate applied it: an aggregate made with `new` doesn't know the store's schemas, and none waits for an
   *   asynchronous schema
   * @throws {@link InvalidArgumentError} when there is something for other streams and nothing for its own, or when the
   *   store can't append to several streams
   */
  async save(aggregate: A, options: SaveOptions = {}): Promise<AppendResult> {
    assertOptions('save', options, { commitId: isName, metadata: isPlainObject });
    const { uncommittedEvents, uncommittedAppends, version } = aggregate;
    const stream = this.#streamId(aggregate.id);
    if (uncommittedEvents.length === 0 && uncommittedAppends.length === 0) {
      const commitId = options.commitId ?? '';
      return { streamId: stream, commitId, version, position: 0, eventIds: [], deduplicated: false };
    }
    const { events, difference } = await asRaised(storedFormOf(this.#store), uncommittedEvents);
    // It would go on deciding on what is nowhere stored.
    if (difference !== undefined) throw difference;
    const [own, ...others] = toAppends(stream, { own: events, others: uncommittedAppends });
    const appends = [{ ...(own as StreamAppend), expectedVersion: version }, ...others];
    const [result] = (await appendAtOnce(this.#store, appends, options)) as readonly [AppendResult];
    aggregate.markEventsAsCommitted();
    if (result.changedBySchema) aggregate[outdate]();
    return result;
  }

  /**
   * Loads the aggregate, runs the command on it and saves it, and does so again when another append came in between.
   * Sent again with its `commandId` after a success, even one whose answer was lost, the command stores nothing and
   * returns the first version. A command that was rejected, or raised no events, leaves no trace and is decided again.
   *
   * @throws whatever the command throws, when nothing was stored
   * @throws {@link VersionConflictError} when other appends were faster at every attempt, or another stream isn't at the
   *   version that the command expects of it
   */
  async execute<R>(
    id: string,
    command: (aggregate: A) => R | Promise<R>,
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult<R>> {
    assertOptions('execute', options, executeOptionChecks);
    const stream = this.#streamId(id);
    const execution = await executeCommand(this.#store, options, {
      home: stream,
      turns: [stream],
      load: () => this.load(id),
      decide: async (aggregate) => {
        const { version } = aggregate;
        const returned = await command(aggregate);
        // Nobody goes on with the aggregate, so the last event may be another than it has applied.
        const { events } = await asRaised(storedFormOf(this.#store), aggregate.uncommittedEvents);
        return {
          basis: { expectedVersion: version },
          appends: toAppends(stream, { own: events, others: aggregate.uncommittedAppends }),
          result: { returned, version },
        };
      },
    });
    if (execution.kind === 'deduplicated') {
      return { result: undefined, version: execution.commit.version, deduplicated: true };
    }
    const { returned, version } = execution.result;
    return { result: returned, version: execution.parts[0]?.version ?? version, deduplicated: false };
  }

  /**
   * Stores the state of a saved aggregate as its snapshot.
   *
   * @throws {@link InvalidArgumentError} without a snapshot store, with uncommitted events, when the state is not JSON,
   *   or when the aggregate restored from it differs
   */
  async saveSnapshot(aggregate: A): Promise<void> {
    const { snapshots } = this.#options;
    if (snapshots === undefined) {
      throw new InvalidArgumentError('saveSnapshot needs the option `snapshots` of the repository.');
    }
    if (aggregate.uncommittedEvents.length > 0 || aggregate.uncommittedAppends.length > 0) {
      throw new InvalidArgumentError(
        'An aggregate with uncommitted events is no snapshot of its stream. Save it first.',
      );
    }
    aggregate[assertIsCurrent]();
    const { category } = this.#aggregate;
    const state = assertStateIsJson(aggregate.toSnapshot(), category);
    const builder = aggregateBuilder(this.#aggregate, aggregate.id, undefined);
    assertSnapshotIsWhole(builder, { state: aggregate, version: aggregate.version }, state, category);
    await snapshots.save(
      this.#streamId(aggregate.id),
      snapshotModelOf(this.#aggregate),
      aggregate.version,
      state,
    );
  }

  #streamId(id: string): string {
    return streamId(this.#aggregate.category, id);
  }
}

/**
 * Builds the aggregates of a class up from its events.
 *
 * @param form what the store makes of the events that they will raise
 */
export function aggregateBuilder<A extends AggregateRoot>(
  aggregateClass: AggregateClass<A>,
  id: string,
  form: StoredForm | undefined,
): StateBuilder<A> {
  const create = (): A => {
    const aggregate = new aggregateClass(id);
    aggregate[raiseAs](form);
    return aggregate;
  };
  return {
    create,
    restore: ({ version, state }) => {
      const aggregate = create();
      aggregate[restore](version, state);
      return aggregate;
    },
    apply: (aggregate, event) => {
      aggregate[replay](event);
      return aggregate;
    },
  };
}

/** The snapshots to read: those of the category, in the version that the class or decider declares. */
export function snapshotModelOf(model: {
  readonly category: string;
  readonly snapshotVersion?: number;
}): SnapshotModel {
  return { name: model.category, version: model.snapshotVersion ?? 1 };
}
