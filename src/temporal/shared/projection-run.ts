import type { ParkedEvent, ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { Checkpoint } from '../../core/store/checkpoint.js';

/** Input of `eventStoreProjection`. A later shape of it gets a higher `version`. */
export interface ProjectionInput {
  readonly version: 1;
  readonly name: string;
  /** Milliseconds without a heartbeat after which another worker takes over. */
  readonly heartbeatTimeout: number;
  /** State of the run before, when it continued as new. */
  readonly run?: ProjectionRun;
}

/** The state of a projection that its sink doesn't keep. */
export interface ProjectionRun {
  readonly mode: ProjectionMode;
  readonly lastError?: string;
  readonly blocked?: BlockedShard;
  readonly rebuild?: RebuildRun;
  /** Set once a worker has known the projection; from then on it waits for a worker that does. */
  readonly isKnown?: true;
  /** The progress last seen, reported while the store can't be reached. */
  readonly progress?: ProjectionProgress;
}

/** What a projection is doing, as far as its workflow knows. */
export type ProjectionMode = 'running' | 'paused' | 'blocked' | 'failed' | 'stopped';

export interface RebuildRun {
  readonly phase: 'building' | 'verifying' | 'switching' | 'failed';
  /** Absent until it is begun. */
  readonly build?: number;
  /** The wanted version. Default: the newest known. */
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
  /** Set when the activity runs at the pace of a shard that had no event of its own for a while. */
  readonly isIdle?: true;
}

/** What a shard reports with its heartbeats. */
export interface ShardHeartbeat {
  readonly position?: number;
  /** Why nothing is being applied. */
  readonly waitsFor?: string;
  /** What may be wrong although the shard goes on. */
  readonly warning?: string;
}

/** How the run of a shard ended. `outdated`: its build and the definition differ in the number of shards. */
export type ProjectionShardReply =
  | { readonly kind: 'reached' | 'fenced' | 'outdated' }
  /** Only from an activity: another one continues, if idle with this heartbeat time-out in milliseconds. */
  | { readonly kind: 'paused'; readonly idle?: { readonly heartbeatTimeout: number } }
  | ({ readonly kind: 'blocked' } & BlockedShard);

/** Where a projection stopped at an event. */
export interface BlockedShard {
  readonly event: ParkedEventSummary;
  /** Absent in state that earlier versions have kept. */
  readonly build?: number;
  readonly shard: number;
  /** The checkpoint at the event. */
  readonly checkpoint: Checkpoint;
}

/** A parked event without its data, which may be large. Read that from its stream, at its version. */
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
  /** Event types that the projection wants but that were never appended. Absent if there are none. */
  readonly unseenTypes?: readonly string[];
}
