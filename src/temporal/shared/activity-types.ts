import type { EventToAppend } from '../../core/events/event.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { MultiAppendOptions, MultiAppendResult } from '../../core/store/append/multi-stream-appends.js';
import type {
  AllSlice,
  EventFilter,
  AppendResult,
  ExpectedVersion,
  ReadDirection,
  StreamSlice,
} from '../../core/store/event-store.js';
import type { StoreStatistics, TrendBucket, TrendInterval } from '../../core/store/statistics/statistics.js';
import type { JsonValue } from '../../core/values/json.js';
import type { CommandOutcome, ExecuteRequest, LaneSettings } from './command-lane.js';
import type { AwaitedPosition, ReachedPosition, RebaseFrom } from './projection-requests.js';
import type {
  BlockedShard,
  ProjectionShardInput,
  ProjectionShardReply,
  ParkedEventSummary,
  ProjectionProgress,
} from './projection-run.js';

/** An append as it travels: checked, plain JSON, always with a commit id. */
export interface AppendRequest {
  readonly streamId: string;
  readonly events: readonly EventToAppend[];
  readonly expectedVersion: ExpectedVersion;
  readonly commitId: string;
  /**
   * Present when the caller's schemas have been applied: the worker's schemas must then leave the events as they
   * are.
   */
  readonly schemasApplied?: true;
}

/** The part of an append that goes to one stream. */
export type AppendRequestPart = Pick<AppendRequest, 'streamId' | 'events' | 'expectedVersion'>;

/**
 * An append to several streams as it travels, or any append under a condition. It has an activity of its own, so that no
 * worker of an older release appends without looking at the condition: one that doesn't know the activity leaves it to
 * another.
 */
export interface AppendStreamsRequest
  extends Pick<AppendRequest, 'commitId' | 'schemasApplied'>, Pick<MultiAppendOptions, 'condition'> {
  /** The first is that of the home stream. */
  readonly appends: readonly AppendRequestPart[];
}

export interface AppendReply<Result = AppendResult> {
  readonly result: Result;
  /** Whether the worker has an `appendPublisher` that wants the events. */
  readonly publish: boolean;
}

export interface ReadStreamRequest {
  readonly streamId: string;
  readonly fromVersion?: number;
  readonly toVersion?: number;
  readonly limit?: number;
  readonly maxBytes?: number;
  readonly direction?: ReadDirection;
}

export interface ReadAllRequest {
  readonly after?: number;
  readonly limit?: number;
  readonly maxBytes?: number;
  readonly filter?: readonly EventFilter[];
  readonly direction?: ReadDirection;
}

export interface StatisticsRequest {
  readonly filter?: readonly EventFilter[];
}

export interface TrendsRequest extends StatisticsRequest {
  readonly interval: TrendInterval;
}

/** The events of a commit, by their place in the stream. */
export interface PublishRequest {
  readonly streamId: string;
  readonly fromVersion: number;
  readonly toVersion: number;
}

/** An aggregate, and the version or time of the wanted state. */
export interface ReplayRequest {
  /** Category of a registered aggregate class or decider. */
  readonly aggregate: string;
  readonly id: string;
  /** Up to this version, inclusive. */
  readonly toVersion?: number;
  /** Up to the first event that occurred after this time, exclusive. ISO 8601 with an offset. */
  readonly until?: string | Date;
}

/** A replay as it travels. */
export interface ReplayTask extends ReplayRequest {
  /** Whether a worker that doesn't know the aggregate or its events leaves the task to another. Default: it refuses. */
  readonly givesBack?: boolean;
}

export interface ReplayedState<State = JsonValue> {
  /** The stream's version; 0 when it has no events. */
  readonly version: number;
  readonly state: State;
}

/** The activities that the library's workflows and proxies call. Each name begins with `eventStore`. */
export interface EventStoreActivities {
  eventStoreAppend(request: AppendRequest): Promise<AppendReply>;
  eventStoreAppendStreams(request: AppendStreamsRequest): Promise<AppendReply<MultiAppendResult>>;
  eventStoreReadStream(request: ReadStreamRequest): Promise<StreamSlice>;
  eventStoreReadAll(request: ReadAllRequest): Promise<AllSlice>;
  eventStoreFindCommit(request: {
    readonly streamId: string;
    readonly commitId: string;
  }): Promise<AppendResult | undefined>;
  eventStoreStatistics(request: StatisticsRequest): Promise<StoreStatistics>;
  eventStoreTrends(request: TrendsRequest): Promise<readonly TrendBucket[]>;
  eventStorePublish(request: PublishRequest): Promise<void>;
}

/** The activities for registered aggregates. */
export interface AggregateActivities {
  /**
   * Decides and appends commands, each exactly once; returns an outcome for each. Fails only when the store can't
   * be reached.
   */
  eventStoreExecute(request: ExecuteRequest): Promise<readonly CommandOutcome[]>;
  /** The same for the first batch of a lane; also returns this worker's settings for lanes. */
  eventStoreExecuteFirst(
    request: ExecuteRequest,
  ): Promise<{ readonly outcomes: readonly CommandOutcome[]; readonly settings: LaneSettings }>;
  eventStoreReplay(task: ReplayTask): Promise<ReplayedState>;
  /** This worker's settings for lanes. */
  eventStoreLaneSettings(): Promise<LaneSettings>;
}

/** The activities for registered projections. */
export interface ProjectionActivities {
  /** Returns the builds; makes an empty live one if there is none. */
  eventStoreOpenProjection(request: ProjectionRequest): Promise<readonly ProjectionBuild[]>;
  /** Applies events for a while. */
  eventStoreProject(request: ProjectionShardInput): Promise<ProjectionShardReply>;
  /** Stops all owners from writing. When it returns, nothing is being written. */
  eventStoreFenceProjection(request: ProjectionRequest): Promise<void>;
  eventStoreProjectionProgress(
    request: ProjectionRequest & {
      /** Whether to look for event types that were never appended. Default false. */
      readonly withUnseen?: boolean;
    },
  ): Promise<ProjectionProgress>;
  /** Waits until the live build has reached a position, or the time is up. */
  eventStoreAwaitPosition(request: AwaitedPosition): Promise<ReachedPosition>;
  /**
   * Makes an empty build beside the live one; where the sink has room for only one, it empties the live one.
   * Default: the newest version, which is never older than the live one.
   */
  eventStoreBeginBuild(
    request: ProjectionRequest & {
      readonly version?: number;
      /** Whether the live build's version will do, because no worker with a newer one was found. */
      readonly settles?: boolean;
    },
  ): Promise<ProjectionBuild>;
  eventStoreVerifyBuild(request: BuildRequest): Promise<void>;
  eventStoreActivateBuild(request: BuildRequest): Promise<void>;
  eventStoreDropBuild(request: BuildRequest): Promise<void>;
  /** Moves a projection without a read model to another position, even of another store. */
  eventStoreRebaseProjection(request: ProjectionRequest & { readonly from: RebaseFrom }): Promise<void>;
  /**
   * Lets a projection that can't be rebuilt go on from its checkpoints under the store's new id. Does so only if
   * they are kept in that store, and so were restored with its events.
   */
  eventStoreAdoptStore(request: ProjectionRequest): Promise<void>;
  /** The first few hundred parked events of the live build. */
  eventStoreParkedEvents(request: ProjectionRequest): Promise<readonly ParkedEventSummary[]>;
  eventStoreDecideParked(request: DecideParkedRequest): Promise<void>;
}

export interface ProjectionRequest {
  readonly name: string;
}

export interface BuildRequest extends ProjectionRequest {
  readonly build: number;
}

export interface DecideParkedRequest extends BuildRequest {
  readonly eventId: string;
  /** Absent: the event is retried. */
  readonly skip?: { readonly operator: string; readonly reason: string };
  /** Where the projection stopped at the event. */
  readonly blockedAt?: Pick<BlockedShard, 'build' | 'shard' | 'checkpoint'>;
}
