import type { ParkedEvent, ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { Checkpoint } from '../../core/store/checkpoint.js';

/** Input of `eventStoreProjection`. Later versions of it have a higher number. */
export interface ProjectionInput {
  readonly version: 1;
  readonly name: string;
  /** Milliseconds without a sign of life after which another worker takes over. */
  readonly heartbeatTimeout: number;
  /** What a run gives the next when it continues as new. */
  readonly run?: ProjectionRun;
}

/** What a projection is about, besides what its sink knows. */
export interface ProjectionRun {
  readonly mode: ProjectionMode;
  readonly lastError?: string;
  readonly blocked?: BlockedShard;
  readonly rebuild?: RebuildRun;
  /** Whether a worker has known it: from then on it waits for one that does. */
  readonly isKnown?: true;
  /** As it was last seen: what is said of it when its store can't be reached. */
  readonly progress?: ProjectionProgress;
}

/** What a projection is about. */
export type ProjectionMode = 'running' | 'paused' | 'blocked' | 'failed' | 'stopped';

export interface RebuildRun {
  readonly phase: 'building' | 'verifying' | 'switching' | 'failed';
  /** Absent until it is begun. */
  readonly build?: number;
  /** That is wanted. Default: the newest that is known. */
  readonly version?: number;
  /** Most events a second. */
  readonly maxRate?: number;
  readonly error?: string;
}

/** Input of `eventStoreProjectionShard`: one shard of a build. */
export interface ProjectionShardInput {
  readonly version: 1;
  readonly name: string;
  readonly build: number;
  readonly shard: number;
  readonly until?: number | 'end';
  readonly maxRate?: number;
  readonly heartbeatTimeout: number;
  /** Whether the activity runs at the pace of a shard that had no event of its own for a while. */
  readonly isIdle?: true;
}

/** What a shard tells with its signs of life. */
export interface ShardHeartbeat {
  readonly position?: number;
  /** Why nothing is applied just now. */
  readonly waitsFor?: string;
  /** What may be wrong although it goes on. */
  readonly warning?: string;
}

/** How the run of a shard has ended; `outdated`: its build has another number of shards than the definition says. */
export type ProjectionShardReply =
  | { readonly kind: 'reached' | 'fenced' | 'outdated' }
  /** Only of an activity, which is to go on in another, with this heartbeat time-out (milliseconds) where it is idle. */
  | { readonly kind: 'paused'; readonly idle?: { readonly heartbeatTimeout: number } }
  | ({ readonly kind: 'blocked' } & BlockedShard);

/** Where a projection stopped at an event. */
export interface BlockedShard {
  readonly event: ParkedEventSummary;
  /** Absent in what earlier versions have kept. */
  readonly build?: number;
  readonly shard: number;
  /** The place of the event. */
  readonly checkpoint: Checkpoint;
}

/** A parked event without its data, which may be large: read it in its stream, at its version. */
export interface ParkedEventSummary {
  readonly eventId: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly type: string;
  readonly error: string;
  readonly attempts: number;
  readonly status: ParkedEvent['status'];
  /** ISO 8601. */
  readonly parkedAt?: string;
  readonly operator?: string;
  readonly reason?: string;
}

/** The builds of a projection, and where the store ends. */
export interface ProjectionProgress {
  readonly builds: readonly ProjectionBuild[];
  /** Position of the last event of the store. */
  readonly end: number;
  /** Seconds since the first event that the live build has not applied was recorded; 0 when there is none. */
  readonly lagSeconds: number;
  /** Types that it wants and nobody has ever appended. Absent when there is none. */
  readonly unseenTypes?: readonly string[];
}
