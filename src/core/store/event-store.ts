import type { DomainEvent, EventMetadata, EventToAppend, RecordedEvent } from '../events/event.js';

declare const eventsOfStore: unique symbol;
declare const isSettled: unique symbol;

/**
 * The interface of every store, and all that an aggregate, a repository or a subscription needs. Stores in memory,
 * PostgreSQL and PGlite, a workflow's proxy and a Temporal client implement it; `describeEventStore` of
 * `temporal-event-store/testing` proves that they behave alike.
 *
 * @typeParam Events the events that reads return. `withEvents` sets it; a store by itself returns any
 * @typeParam NewEvents the events that it appends, as the inputs of their schemas
 */
export interface EventStore<
  Events extends DomainEvent = DomainEvent,
  NewEvents extends DomainEvent = Events,
> {
  /** Exists in types only, so that `iterateStream`, `iterateAll` and `subscribe` know the events. */
  [eventsOfStore]?(event: Events): void;

  /**
   * Appends events to a stream, all or nothing. With a `commitId`, a repeated append stores nothing and returns the
   * result of the first.
   *
   * @throws VersionConflictError when the stream is not at the expected version
   * @throws AppendConditionFailedError when an event that the condition's filter takes was appended meanwhile
   * @throws PositionAheadOfStoreError when the condition's position is of another store, or beyond this one's end
   * @throws CommitMismatchError when the `commitId` was used on this stream with other events
   * @throws InvalidEventError with the path of what JSON would change or drop
   * @throws EventTooLargeError when the commit is larger than the store's limit, 2,000,000 bytes of JSON by default
   * @throws InvalidArgumentError for a malformed stream id or option, or no events
   */
  appendToStream<E extends NewEvents>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options?: AppendOptions<Events['type']>,
  ): Promise<AppendResult>;

  /**
   * Reads a page of one stream. For a stream that does not exist it returns an empty slice of version 0.
   *
   * A page of large events may be shorter than its `limit`: go by `isEnd`.
   */
  readStream<E extends Events = Events>(
    streamId: string,
    options?: ReadStreamOptions,
  ): Promise<StreamSlice<E>>;

  /**
   * Reads a page of all streams, in the order of positions. As in {@link readStream}, it may be shorter than its
   * `limit`.
   *
   * @throws PositionAheadOfStoreError when `after` is beyond the last position: it comes from another store
   */
  readAll<E extends Events = Events>(options?: ReadAllOptions<Events['type']>): Promise<AllSlice<E>>;

  /**
   * The result of an earlier append to this stream with this commit id, with `deduplicated: true`; undefined if there
   * is none.
   */
  findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined>;
}

/** The union of the events of a typed store: `defineProjection<EventsIn<typeof store>, …>`. */
export type EventsIn<S extends EventStore> = S extends EventStore<infer Events> ? Events : DomainEvent;

/**
 * What an append expects of its stream: a version, that it doesn't exist (the same as 0), that it exists, or nothing.
 */
export type ExpectedVersion = number | 'any' | 'noStream' | 'streamExists';

export interface AppendOptions<Type extends string = string> {
  /** Default `'any'`. Enforced under concurrency. */
  readonly expectedVersion?: ExpectedVersion;
  /** What the append depends on beyond its stream. Enforced under concurrency. Default: nothing. */
  readonly condition?: AppendCondition<Type>;
  /**
   * Makes the append exactly-once within its stream: sent again with it, nothing is stored. Default: random, so that
   * the store's own retries are safe.
   */
  readonly commitId?: string;
  /** Added to the metadata of each event; the event's own keys win. */
  readonly metadata?: EventMetadata;
  /**
   * If it aborts before the append is sent, the append rejects with the signal's reason, and nothing is stored. Once
   * the append is sent, the call waits for its outcome. A store that can't wait, such as one behind Temporal, throws
   * `STORE_UNAVAILABLE` with the commit id to ask again with.
   */
  readonly signal?: AbortSignal;
}

/**
 * What an append depends on, beyond its own stream: it is refused when an event that the filter takes has been appended
 * after a position, whatever its stream.
 *
 * @example
 * const filter = { types: ['EmailTaken'], tags: ['email:ann@example.com'] };
 * const slice = await store.readAll({ filter });
 * if (slice.events.length > 0) throw new DomainError('The address is taken');
 * await store.appendToStream('User-7', [{ type: 'EmailTaken', data: {}, tags: filter.tags }], {
 *   condition: { filter, after: slice },
 * });
 */
export interface AppendCondition<Type extends string = string> {
  /**
   * The events that the decision depends on: any of the filters takes them, `{}` every event. At most 100, without times.
   *
   * Give each filter a tag that few appends share, and name it first: appends under a condition on a tag take turns with
   * the appends of events that carry it. A filter without tags is slower, since it takes turns with all appends of the
   * store.
   */
  readonly filter: EventFilter<Type> | readonly EventFilter<Type>[];
  /**
   * Up to where the caller knows these events: the last slice of a forward `readAll`, read until `isEnd`, or its `settled`
   * position. The position of an event or append won't do.
   */
  readonly after: AllSlice | SettledPosition;
}

export interface AppendResult {
  readonly streamId: string;
  readonly commitId: string;
  /** Version of the last event of the commit. */
  readonly version: number;
  /** Position of the last event of the commit. */
  readonly position: number;
  readonly eventIds: readonly string[];
  /** True if this call stored nothing, because the commit was stored already. */
  readonly deduplicated: boolean;
  /**
   * Present if a schema (`withEvents`, here or on the other side of Temporal) changed the given data, for example
   * filled in defaults. A state that has applied the given data then differs from the stream's.
   */
  readonly changedBySchema?: true;
}

export type ReadDirection = 'forward' | 'backward';

export interface ReadStreamOptions {
  /** First version to read, inclusive. Default: 1; backwards: the end of the stream. */
  readonly fromVersion?: number;
  /** Last version to read, inclusive, in the direction of reading. Default: the other end of the stream. */
  readonly toVersion?: number;
  /** Most events in the page. Default 500. */
  readonly limit?: number;
  /**
   * Most bytes of JSON in the page, counted over data, metadata and tags; the first event is in it whatever its size.
   * Default 4,000,000.
   */
  readonly maxBytes?: number;
  readonly direction?: ReadDirection;
  readonly signal?: AbortSignal;
}

export interface StreamSlice<E extends DomainEvent = DomainEvent> {
  readonly streamId: string;
  /** Current version of the stream; 0 if it does not exist. */
  readonly version: number;
  readonly events: readonly RecordedEvent<E>[];
  /** True if there is nothing more to read in this direction, up to `toVersion`. */
  readonly isEnd: boolean;
}

export interface ReadAllOptions<Type extends string = string> {
  /** Reading starts after this position, exclusive. Default: 0; backwards: the end of the store. */
  readonly after?: number;
  /** Most events in the page. Default 500. */
  readonly limit?: number;
  /**
   * Most bytes of JSON in the page, counted over data, metadata and tags; the first event is in it whatever its size.
   * Default 4,000,000.
   */
  readonly maxBytes?: number;
  /** An event is returned if any of the filters matches it. Default: every event. */
  readonly filter?: EventFilter<Type> | readonly EventFilter<Type>[];
  readonly direction?: ReadDirection;
  readonly signal?: AbortSignal;
}

/** Matches an event that meets all of the given conditions. */
export interface EventFilter<Type extends string = string> {
  /** Any of these. */
  readonly types?: readonly Type[];
  /** Any of these. The category of a stream is the part of its id before the first `-`. */
  readonly categories?: readonly string[];
  /** All of these. */
  readonly tags?: readonly string[];
  /** `metadata.correlationId`, exactly. */
  readonly correlationId?: string;
  /** Inclusive. */
  readonly occurredFrom?: string | Date;
  /** Inclusive. */
  readonly occurredTo?: string | Date;
}

export interface AllSlice<E extends DomainEvent = DomainEvent> {
  readonly events: readonly RecordedEvent<E>[];
  /** Go on with `after: position`. It is beyond the events that the filter left out. */
  readonly position: number;
  /** True if no more matching events follow in the direction of reading. */
  readonly isEnd: boolean;
  /** Id of the store that the position belongs to. It changes when an operator rotates it after a lossy failover. */
  readonly storeId: string;
  /**
   * `position`, where a condition of an append may build on it: in a slice of a forward read that has reached its end
   * (`isEnd`). Absent in all others; and without a filter, while an append is under way behind the position where the read
   * began, for which it needn't wait.
   */
  readonly settled?: SettledPosition;
}

/**
 * A position up to which nothing will appear any more: every smaller position is visible to readers, or was rolled back.
 * Only a forward `readAll` that has reached its end knows one: {@link AllSlice.settled}. The position of an event or of an
 * append is none, since an append with a smaller position may still be under way.
 *
 * Plain JSON, so that it can be kept, and travel through Temporal.
 */
export interface SettledPosition {
  readonly [isSettled]: true;
  readonly position: number;
  /** Id of the store that the position belongs to. */
  readonly storeId: string;
}
