import type { ProjectionBuild } from '../../core/projections/projection-sink.js';
import type {
  ParkedEventSummary,
  ProjectionMode,
  ProjectionProgress,
  ProjectionRun,
  RebuildRun,
} from './projection-run.js';

/**
 * `running`; `waiting` until something comes back or is deployed, after which it goes on by itself; `paused` by an
 * operator; `blocked` by an event that can't be applied; `failed` for a reason that needs an operator; `stopped`,
 * with its workflow completed.
 */
export type ProjectionStateName = ProjectionMode | 'waiting';

export interface ProjectionStatus {
  readonly name: string;
  readonly state: ProjectionStateName;
  /** The version of the live build. */
  readonly version: number;
  /** All events up to this position are in the read model, from every shard. */
  readonly position: number;
  /** Distance to the end of the store. `events` counts positions, including events that the projection doesn't want. */
  readonly lag: { readonly events: number; readonly seconds: number };
  /** Events applied by the live build. */
  readonly applied: number;
  /** Events a second while it has events to apply. */
  readonly rate: number;
  readonly shards: number;
  /** The event at which it stopped. */
  readonly blocked?: ParkedEventSummary;
  readonly lastError?: string;
  /**
   * In the state `waiting`: what holds the projection up, at most `heartbeatTimeout` old. In other states: why the
   * rest of the status is only what was last known.
   */
  readonly waitsFor?: string;
  /** What may be wrong although it goes on: a reaction that seems to feed itself. Up to `heartbeatTimeout` old. */
  readonly warning?: string;
  /** The first 20 event types that the projection wants but that were never appended: perhaps a name is misspelt. */
  readonly unseenTypes?: readonly string[];
  readonly rebuild?: RebuildStatus;
  /** The build that `rollback` would bring back. */
  readonly previous?: { readonly version: number; readonly position: number };
}

export interface RebuildStatus {
  readonly phase: RebuildRun['phase'];
  /** Number of the new build. Absent until it is begun. */
  readonly build?: number;
  readonly version?: number;
  readonly position: number;
  /** The end of the store, which the build has to reach. */
  readonly target: number;
  /** 0 to 1. */
  readonly done: number;
  readonly rate: number;
  /** Absent while it can't be estimated. */
  readonly etaSeconds?: number;
  /** What holds the rebuild up; it then goes on by itself. */
  readonly waitsFor?: string;
  readonly error?: string;
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

/** The state of a projection, with what holds it up. */
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
  // Positions a second: `applied` of the positions passed so far were events that the projection wants.
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

export function liveBuildOf(builds: readonly ProjectionBuild[]): ProjectionBuild | undefined {
  return builds.find(({ role }) => role === 'live');
}

/** The position that all shards of a build have passed; 0 without a build. */
export function positionOf(build: ProjectionBuild | undefined): number {
  const positions = build?.progress.map(({ checkpoint }) => checkpoint?.position ?? 0) ?? [0];
  return positions.reduce((least, position) => Math.min(least, position));
}
