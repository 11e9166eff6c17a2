import type { ParkedEvent, ProjectionBuild } from '../../core/projections/projection-sink.js';
import type { Checkpoint } from '../../core/store/capabilities.js';
import { integerFrom, type OptionCheck } from '../../core/store/options.js';
import { workflowIdOf } from './workflow-id.js';

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

/**
 * `running`; `waiting` for something that comes back or is deployed, after which it goes on by itself; `paused` by an operator;
 * `blocked` by an event that can't be applied; `failed` for a reason that needs an operator; `stopped`, its workflow completed.
 */
export type ProjectionStateName = ProjectionMode | 'waiting';

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

export interface ProjectionStatus {
  readonly name: string;
  readonly state: ProjectionStateName;
  /** The version of the live build. */
  readonly version: number;
  /** Everything up to it is in the read model. Where there are several shards: in all of them. */
  readonly position: number;
  /** How far behind the end of the store it is. `events` counts positions, so also events that the projection doesn't want. */
  readonly lag: { readonly events: number; readonly seconds: number };
  /** Events applied by the live build. */
  readonly applied: number;
  /** Events a second while it has some to apply. */
  readonly rate: number;
  readonly shards: number;
  /** The event at which it stopped. */
  readonly blocked?: ParkedEventSummary;
  readonly lastError?: string;
  /**
   * What holds it up in the state `waiting`, up to `heartbeatTimeout` late; in other states, why the rest is only what was last known.
   */
  readonly waitsFor?: string;
  /** What may be wrong although it goes on: a reaction that seems to feed itself. As late as `waitsFor`. */
  readonly warning?: string;
  /** Event types that it wants and nobody has ever appended: perhaps a name is misspelt. The first 20. */
  readonly unseenTypes?: readonly string[];
  readonly rebuild?: RebuildStatus;
  /** What `rollback` would bring back. */
  readonly previous?: { readonly version: number; readonly position: number };
}

export interface RebuildStatus {
  readonly phase: RebuildRun['phase'];
  /** Its number. Absent until it is begun. */
  readonly build?: number;
  readonly version?: number;
  readonly position: number;
  /** The end of the store, which it has to reach. */
  readonly target: number;
  /** 0 to 1. */
  readonly done: number;
  readonly rate: number;
  /** Absent while nothing can be said. */
  readonly etaSeconds?: number;
  /** What holds it up; it goes on by itself. */
  readonly waitsFor?: string;
  readonly error?: string;
}

/**
 * From where a projection goes on: behind a position; with the first event; with those that are appended from now on; or where its
 * checkpoint is, in the store as it is now.
 */
export type RebaseFrom = number | 'beginning' | 'end' | 'checkpoint';

export const isRebaseFrom: OptionCheck = (value) =>
  ['beginning', 'end', 'checkpoint'].includes(value as string) || integerFrom(0)(value) === undefined
    ? undefined
    : `a position, 'beginning', 'end' or 'checkpoint'`;

export type ProjectionAction =
  | { readonly action: 'pause' | 'resume' | 'stop' | 'cancelRebuild' | 'rollback' }
  | { readonly action: 'rebuild'; readonly maxRate?: number; readonly version?: number }
  | {
      readonly action: 'rebase';
      readonly from: RebaseFrom;
      readonly operator: string;
      readonly reason: string;
    }
  | { readonly action: 'retry'; readonly eventId: string }
  | { readonly action: 'skip'; readonly eventId: string; readonly operator: string; readonly reason: string };

/** Milliseconds that whoever asks a projection waits for its answer. */
export interface Patience {
  readonly within: number;
}

/** Input of `eventStoreAwaitProjection`, and of its activity. */
export interface AwaitedPosition {
  readonly name: string;
  /** The positions that are waited for, from the lowest to the highest. It waits for the lowest, and a moment for the rest. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds; 0 for a look. */
  readonly timeout: number;
}

/** How far a projection was when somebody had waited for it. */
export interface ReachedPosition {
  /** Absent when it could not be seen. */
  readonly position?: number;
  /** Why it could not be seen. */
  readonly waitsFor?: string;
}

/** What the attempts at an activity, which several workers may make, have found out. */
export interface SearchTrace {
  /** What the workers know that don't know enough. */
  readonly known?: readonly string[];
  /** What they don't know, and what to do about it. */
  readonly unknown?: {
    readonly what: string;
    readonly advice: string;
    /** Whether it knows the projection, in another version. */
    readonly isOfVersion?: true;
    /** How many workers are asked without a pause. Default 12; fewer where an attempt is dear. */
    readonly triesAtOnce?: number;
  };
  /** What one that knows enough has failed of. */
  readonly heldUpBy?: string;
}

/** What two attempts have found out. A worker that knows the projection in another version says more than one that doesn't know it. */
export function mergeTraces(earlier: SearchTrace, later: SearchTrace): SearchTrace {
  const isLess = later.unknown === undefined || (isOfVersion(earlier) && !isOfVersion(later));
  const [more, less] = isLess ? [earlier, later] : [later, earlier];
  const isSameKind = less.unknown === undefined || isOfVersion(less) === isOfVersion(more);
  const known = isSameKind ? [...new Set([...(earlier.known ?? []), ...(later.known ?? [])])] : more.known;
  const heldUpBy = later.heldUpBy ?? earlier.heldUpBy;
  return {
    ...(known !== undefined && { known }),
    ...(more.unknown !== undefined && { unknown: more.unknown }),
    ...(heldUpBy !== undefined && { heldUpBy }),
  };
}

function isOfVersion({ unknown }: SearchTrace): boolean {
  return unknown?.isOfVersion === true;
}

/** @param known what workers know instead */
export function describeUnknown(
  { what, advice }: Pick<NonNullable<SearchTrace['unknown']>, 'what' | 'advice'>,
  known: readonly string[],
): string {
  return `No worker knows ${what}; known: ${known.join(', ') || 'none'}. ${advice}`;
}

/** What the description of a projection's workflow says of it, in its memo, unless it is running. */
export interface ProjectionMemo {
  readonly mode: ProjectionMode;
  readonly why?: string;
}
export const projectionMemo = 'temporal-event-store.projection';

export const projectionWorkflowType = 'eventStoreProjection';
export const awaitProjectionType = 'eventStoreAwaitProjection';
export const controlProjectionUpdate = 'eventStoreControlProjection';
export const projectionStatusUpdate = 'eventStoreReadProjectionStatus';
export const parkedEventsUpdate = 'eventStoreReadParkedEvents';
export const projectionStatusQuery = 'eventStoreProjectionStatus';

/** Type of the failure by which a projection refuses an update, because it is about to continue as new. Try again. */
export const projectionIsDraining = 'temporal-event-store.ProjectionIsDraining';

/** `event-store/projection/<task queue>/<name>`. */
export function projectionWorkflowId(taskQueue: string, name: string): string {
  return workflowIdOf('projection', taskQueue, name);
}

export function liveBuildOf(builds: readonly ProjectionBuild[]): ProjectionBuild | undefined {
  return builds.find(({ role }) => role === 'live');
}

/** What all shards of a build have passed; 0 when there is none. */
export function positionOf(build: ProjectionBuild | undefined): number {
  const positions = build?.progress.map(({ checkpoint }) => checkpoint?.position ?? 0) ?? [0];
  return positions.reduce((least, position) => Math.min(least, position));
}

/** @param waitsFor why it doesn't go on, or why nothing newer is known */
export function statusOf(
  name: string,
  run: ProjectionRun,
  progress: ProjectionProgress,
  waitsFor?: string,
): ProjectionStatus {
  const { builds, end } = progress;
  const live = liveBuildOf(builds);
  const previous = builds.find(({ role }) => role === 'previous');
  const position = positionOf(live);
  return {
    name,
    ...stateOf(run.mode, waitsFor),
    version: live?.version ?? 0,
    position,
    lag: { events: Math.max(end - position, 0), seconds: progress.lagSeconds },
    applied: total(live, 'applied'),
    rate: total(live, 'rate'),
    shards: live?.shards ?? 0,
    ...(progress.unseenTypes !== undefined && { unseenTypes: progress.unseenTypes }),
    ...(run.blocked !== undefined && { blocked: run.blocked.event }),
    ...(run.lastError !== undefined && { lastError: run.lastError }),
    ...(run.rebuild !== undefined && { rebuild: rebuildStatusOf(run.rebuild, progress) }),
    ...(previous !== undefined && {
      previous: { version: previous.version, position: positionOf(previous) },
    }),
  };
}

/** What a projection is about, with what holds it up. */
export function stateOf(
  mode: ProjectionStateName,
  waitsFor: string | undefined,
): Pick<ProjectionStatus, 'state' | 'waitsFor'> {
  if (waitsFor === undefined) return { state: mode };
  return { state: mode === 'running' ? 'waiting' : mode, waitsFor };
}

function rebuildStatusOf({ phase, build, error }: RebuildRun, progress: ProjectionProgress): RebuildStatus {
  const { builds, end: target } = progress;
  const next = builds.find((other) => other.build === build);
  const position = positionOf(next);
  const rate = total(next, 'rate');
  const applied = total(next, 'applied');
  // Positions a second: of the positions passed so far, so many were events that it wants.
  const speed = applied === 0 ? 0 : rate * (position / applied);
  return {
    phase,
    ...(build !== undefined && { build }),
    ...(next !== undefined && { version: next.version }),
    position,
    target,
    done: target === 0 ? 1 : Math.min(position / target, 1),
    rate,
    ...(speed > 0 && { etaSeconds: Math.max(target - position, 0) / speed }),
    ...(error !== undefined && { error }),
  };
}

function total(build: ProjectionBuild | undefined, what: 'applied' | 'rate'): number {
  return (build?.progress ?? []).reduce((sum, shard) => sum + shard[what], 0);
}
