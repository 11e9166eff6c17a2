import type { EventToAppend } from '../../core/events/event.js';
import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
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
import type { BlockedShard, ProjectionShardInput, ProjectionShardReply } from './projection-run.js';
import type { ParkedEventSummary, ProjectionProgress } from './projection-run.js';

/** An append as it travels: checked, plain JSON, always with a commit id. */
export interface AppendRequest {
  readonly streamId: string;
  readonly events: readonly EventToAppend[];
  readonly expectedVersion: ExpectedVersion;
  readonly commitId: string;
  /** Present when the caller's schemas have made the events: those of the worker have to leave them as they are. */
  readonly schemasApplied?: true;
}

export interface AppendReply {
  readonly result: AppendResult;
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

/** Whose state is wanted, and as of when. */
export interface ReplayRequest {
  /** Category of a registered aggregate class or decider. */
  readonly aggregate: string;
  readonly id: string;
  /** Up to this version, inclusive. */
  readonly toVersion?: number;
  /** The longest beginning of the stream in which nothing occurred after this time. ISO 8601 with an offset. */
  readonly until?: string | Date;
}

/** A replay as it travels. */
export interface ReplayTask extends ReplayRequest {
  /** Whether a worker that doesn't know the aggregate or its events leaves it to another. Default: it is refused. */
  readonly givesBack?: boolean;
}

export interface ReplayedState<State = JsonValue> {
  /** The stream's version; 0 when it has no events. */
  readonly version: number;
  readonly state: State;
}

/** What the library's workflows and proxies call on the worker. Each name begins with `eventStore`. */
export interface EventStoreActivities {
  eventStoreAppend(request: AppendRequest): Promise<AppendReply>;
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

/** What the library calls for registered aggregates. */
export interface AggregateActivities {
  /** Decides and appends commands, each exactly once; an outcome for each. Fails only when the store can't be reached. */
  eventStoreExecute(request: ExecuteRequest): Promise<readonly CommandOutcome[]>;
  /** The same of the first batch of a lane, with how this worker's lanes run. */
  eventStoreExecuteFirst(
    request: ExecuteRequest,
  ): Promise<{ readonly outcomes: readonly CommandOutcome[]; readonly settings: LaneSettings }>;
  eventStoreReplay(task: ReplayTask): Promise<ReplayedState>;
  /** How this worker's lanes run. */
  eventStoreLaneSettings(): Promise<LaneSettings>;
}

/** What the library calls for registered projections. */
export interface ProjectionActivities {
  /** The builds; an empty live one is made where there is none. */
  eventStoreOpenProjection(request: ProjectionRequest): Promise<readonly ProjectionBuild[]>;
  /** Applies events for a while. */
  eventStoreProject(request: ProjectionShardInput): Promise<ProjectionShardReply>;
  /** From its return on, nothing is written by who wrote before. */
  eventStoreFenceProjection(request: ProjectionRequest): Promise<void>;
  eventStoreProjectionProgress(
    request: ProjectionRequest & {
      /** Whether to look for event types that nobody has ever appended. Default false. */
      readonly withUnseen?: boolean;
    },
  ): Promise<ProjectionProgress>;
  /** Waits until the live build has come to a position, or the time is up. */
  eventStoreAwaitPosition(request: AwaitedPosition): Promise<ReachedPosition>;
  /**
   * Makes an empty build of a version beside the live one; or empties the live one of a sink that has only that. Default: of the newest
   * version, which is never older than the live one.
   */
  eventStoreBeginBuild(
    request: ProjectionRequest & {
      readonly version?: number;
      /** Whether the version of the live one will do: nobody was found who knows a newer one. */
      readonly settles?: boolean;
    },
  ): Promise<ProjectionBuild>;
  eventStoreVerifyBuild(request: BuildRequest): Promise<void>;
  eventStoreActivateBuild(request: BuildRequest): Promise<void>;
  eventStoreDropBuild(request: BuildRequest): Promise<void>;
  /** Lets a projection without a read model go on from somewhere else, also in another store. */
  eventStoreRebaseProjection(request: ProjectionRequest & { readonly from: RebaseFrom }): Promise<void>;
  /**
   * Lets a projection that can't be rebuilt go on from its checkpoints after the store has got another id, where they are kept in that
   * store: they were restored with its events. Nothing otherwise.
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
  /** Absent: try it again. */
  readonly skip?: { readonly operator: string; readonly reason: string };
  /** Where the projection stopped at it. */
  readonly blockedAt?: Pick<BlockedShard, 'build' | 'shard' | 'checkpoint'>;
}
