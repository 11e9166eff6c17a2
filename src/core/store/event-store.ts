import type { DomainEvent, EventMetadata, EventToAppend, RecordedEvent } from '../events/event.js';

declare const eventsOfStore: unique symbol;

/**
 * What every store does, and all that an aggregate, a repository or a subscription needs. Memory, PostgreSQL, a
 * workflow's proxy and a Temporal client implement it alike; `describeEventStore` of `./testing` proves it.
 *
 * @typeParam Events that are read from it. `withEvents` says so; a store by itself holds any
 * @typeParam NewEvents that are appended to it, as their schemas take them
 */
export interface EventStore<
  Events extends DomainEvent = DomainEvent,
  NewEvents extends DomainEvent = Events,
> {
  /** Exists in types only: what `iterateStream`, `iterateAll` and `subscribe` know the events by. */
  [eventsOfStore]?(event: Events): void;

  /**
   * Appends events to a stream, all or nothing. With a `commitId`, an append that is sent again stores nothing and
   * returns the result of the first.
   *
   * @throws VersionConflictError when the stream is not at the expected version
   * @throws CommitMismatchError when the `commitId` was used on this stream with other events
   * @throws InvalidEventError with the path of what JSON would change or drop
   * @throws EventTooLargeError when the commit is larger than the store takes
   * @throws InvalidArgumentError for a malformed stream id or option, or no events
   */
  appendToStream<E extends NewEvents>(
    streamId: string,
    events: readonly EventToAppend<E>[],
    options?: AppendOptions,
  ): Promise<AppendResult>;

  /**
   * Reads a page of one stream. A stream that does not exist is an empty slice of version 0.
   *
   * A page may hold fewer events than its `limit` when they are large: `isEnd` says whether there are more.
   */
  readStream<E extends Events = Events>(
    streamId: string,
    options?: ReadStreamOptions,
  ): Promise<StreamSlice<E>>;

  /**
   * Reads a page of all streams in the order of their positions. As in {@link readStream}, it may hold fewer events than its
   * `limit`.
   *
   * @throws PositionAheadOfStoreError when `after` is beyond the last position: it comes from another store
   */
  readAll<E extends Events = Events>(options?: ReadAllOptions<Events['type']>): Promise<AllSlice<E>>;

  /** The result of an earlier append to this stream with this commit id, with `deduplicated: true`. */
  findCommit(streamId: string, commitId: string): Promise<AppendResult | undefined>;
}

/** The events that a typed store holds: `defineProjection<EventsIn<typeof store>, …>`. */
export type EventsIn<S extends EventStore> = S extends EventStore<infer Events> ? Events : DomainEvent;

/**
 * Where a stream must stand for an append to go through: at a version, not existing (the same as 0), existing, or
 * anywhere.
 */
export type ExpectedVersion = number | 'any' | 'noStream' | 'streamExists';

export interface AppendOptions {
  /** Default `'any'`. Enforced under concurrency. */
  readonly expectedVersion?: ExpectedVersion;
  /** Counts per stream. Default: random, so that the store's own retries are safe. */
  readonly commitId?: string;
  /** Merged under the metadata of each event. */
  readonly metadata?: EventMetadata;
  /**
   * Aborted before the append is sent, it rejects with the signal's reason, and nothing is stored. Once it is sent, its outcome
   * is awaited and told; where nobody waits for that, the error is STORE_UNAVAILABLE, with the commit id to ask again with.
   */
  readonly signal?: AbortSignal;
}

export interface AppendResult {
  readonly streamId: string;
  readonly commitId: string;
  /** Version of the last event of the commit. */
  readonly version: number;
  /** Position of the last event of the commit. */
  readonly position: number;
  readonly eventIds: readonly string[];
  /** True when this call stored nothing, because the commit was there already. */
  readonly deduplicated: boolean;
  /**
   * Present when a schema (`withEvents`, here or on the other side of Temporal) made other data of what was given, such as defaults
   * or lower case. A state that has applied what was given isn't that of the stream then.
   */
  readonly changedBySchema?: true;
}

export type ReadDirection = 'forward' | 'backward';

export interface ReadStreamOptions {
  /** Where the reading starts, inclusive. Default: 1, or backwards the end of the stream. */
  readonly fromVersion?: number;
  /** Where the reading ends, inclusive, in the direction of reading. Default: the other end of the stream. */
  readonly toVersion?: number;
  /** Most events in the page. Default 500. */
  readonly limit?: number;
  /**
   * Most bytes of JSON in the page, of the data, metadata and tags of its events; its first event is in it whatever its size.
   * Default 4,000,000.
   */
  readonly maxBytes?: number;
  readonly direction?: ReadDirection;
  readonly signal?: AbortSignal;
}

export interface StreamSlice<E extends DomainEvent = DomainEvent> {
  readonly streamId: string;
  /** Current version of the stream; 0 when there is none. */
  readonly version: number;
  readonly events: readonly RecordedEvent<E>[];
  /** True when nothing more lies in the direction of reading, within `toVersion`. */
  readonly isEnd: boolean;
}

export interface ReadAllOptions<Type extends string = string> {
  /** Position after which the reading starts, exclusive. Default: 0, or backwards the end of the store. */
  readonly after?: number;
  /** Most events in the page. Default 500. */
  readonly limit?: number;
  /**
   * Most bytes of JSON in the page, of the data, metadata and tags of its events; its first event is in it whatever its size.
   * Default 4,000,000.
   */
  readonly maxBytes?: number;
  /** An event is read when any of the filters takes it. Default: every event. */
  readonly filter?: EventFilter<Type> | readonly EventFilter<Type>[];
  readonly direction?: ReadDirection;
  readonly signal?: AbortSignal;
}

/** Takes an event that meets all of the given conditions. */
export interface EventFilter<Type extends string = string> {
  /** Any of these. */
  readonly types?: readonly Type[];
  /** Any of these; the category of a stream is what stands before its first `-`. */
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
  /** Go on with `after: position`. It lies past what the filter left out. */
  readonly position: number;
  /** True when nothing more that the filter takes lies in the direction of reading. */
  readonly isEnd: boolean;
  /** Identity of the store. A position belongs to one store. */
  readonly storeId: string;
}
