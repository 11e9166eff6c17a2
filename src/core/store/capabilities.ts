import type { DomainEvent, EventMetadata, EventToAppend } from '../events/event.js';
import type { JsonValue } from '../values/json.js';
import type { AppendResult, EventFilter, ExpectedVersion } from './event-store.js';

/** One of several commits that {@link CommitChain.appendCommits} appends together. */
export interface Commit<E extends DomainEvent = DomainEvent> {
  readonly commitId: string;
  readonly events: readonly EventToAppend<E>[];
  readonly metadata?: EventMetadata;
}

/** Appends several commits to one stream, one after the other, in one transaction. */
export interface CommitChain<NewEvents extends DomainEvent = DomainEvent> {
  /**
   * @returns a result per commit
   * @throws CommitExistsError when any of the commits is stored already; nothing is appended
   * @throws VersionConflictError when the stream is not at the expected version; nothing is appended
   */
  appendCommits<E extends NewEvents>(
    streamId: string,
    commits: readonly Commit<E>[],
    options?: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal },
  ): Promise<readonly AppendResult[]>;
}

/** Names the state that a snapshot holds. Snapshots of another version aren't read. */
export interface SnapshotModel {
  readonly name: string;
  readonly version: number;
}

export interface Snapshot {
  /** Version of the stream at which the state was taken. */
  readonly version: number;
  readonly state: JsonValue;
}

/** Keeps one snapshot for each stream and model name. Snapshots only save time: losing them loses nothing. */
export interface SnapshotStore {
  /** The snapshot of this model name and version; undefined if none is stored, or one of another version. */
  load(streamId: string, model: SnapshotModel): Promise<Snapshot | undefined>;
  /** Never goes back: with the same model version, an older stream version is ignored. */
  save(streamId: string, model: SnapshotModel, version: number, state: JsonValue): Promise<void>;
  delete(streamId: string, model: SnapshotModel): Promise<void>;
}

/** How far a reader has come in a store: everything up to the position is done. */
export interface Checkpoint {
  readonly position: number;
  /** The store that the position belongs to. */
  readonly storeId: string;
}

export interface CheckpointStore {
  load(name: string): Promise<Checkpoint | undefined>;
  /**
   * Never goes back within a store: a lower position is ignored. A checkpoint of another store replaces the old one.
   */
  save(name: string, checkpoint: Checkpoint): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface EventStatistics {
  statistics(options?: StatisticsOptions): Promise<StoreStatistics>;
  /** Counts by `occurredAt` in UTC. Empty buckets are present; weeks start on Monday. */
  trends(options: TrendsOptions): Promise<readonly TrendBucket[]>;
}

export interface StatisticsOptions {
  readonly filter?: EventFilter | readonly EventFilter[];
  readonly signal?: AbortSignal;
}

export interface StoreStatistics {
  readonly total: number;
  /** Number of different streams. */
  readonly streams: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byCategory: Readonly<Record<string, number>>;
  /** The first event by position; absent when there is none. */
  readonly first?: EventPlace;
  /** The last event by position; absent when there is none. */
  readonly last?: EventPlace;
}

export interface EventPlace {
  readonly position: number;
  readonly occurredAt: string;
}

export type TrendInterval = 'hour' | 'day' | 'week' | 'month';

export interface TrendsOptions extends StatisticsOptions {
  readonly interval: TrendInterval;
}

export interface TrendBucket {
  /** Start of the interval, ISO 8601 in UTC. */
  readonly start: string;
  readonly count: number;
}

/** What a store may do beyond {@link EventStore}. */
export interface StoreCapabilities extends CommitChain, EventStatistics {
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;
}

/** Optional members of a store that make reading faster and change nothing else. */
export interface ReaderHints {
  /** True if iterators should read the next page while this one is used. */
  readonly readsAhead?: boolean;
  /**
   * Calls back after something may have been appended. It may come twice, late, or not at all.
   *
   * @returns a function that removes the listener
   */
  readonly onAppend?: (listener: () => void) => () => void;
}
