import { Context } from '@temporalio/activity';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { assertOptions, isPlainObject, type OptionCheck } from '../../../core/options/options.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import type { ReaderHints, StoreCapabilities } from '../../../core/store/capabilities.js';
import type { CheckpointStore } from '../../../core/store/checkpoint.js';
import { innermostOf } from '../../../core/store/decorated-store.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { ProjectionActivities } from '../../shared/activity-types.js';
import type { ShardHeartbeat } from '../../shared/projection-run.js';
import { liveBuildOf, positionOf } from '../../shared/projection-status.js';
import { madeOf } from '../activity-source.js';
import { activityLogger, type ActivityLogger } from '../logged.js';
import { reactionPort } from '../reactions/reaction-port.js';
import { ReactionWarnings } from '../reactions/reaction-warnings.js';
import { CheckpointSink } from './checkpoint-sink.js';
import { heartbeating } from './heartbeating.js';
import { loggedHooks } from './hooks.js';
import { KnownBuilds } from './known-builds.js';
import { delayOf, leaveToOthers } from './leave-to-others.js';
import { operatorActivities } from './operator-activities.js';
import { asOwner } from './owners.js';
import { maxErrorLength, summaryOf } from './parked-summary.js';
import { PositionWatches } from './position-watches.js';
import { projectShard, type ShardOutcome } from './project-shard.js';
import { ProjectionRegistry } from './projection-registry.js';

export interface ProjectionActivitiesOptions {
  readonly store: EventStore & Partial<StoreCapabilities> & ReaderHints;
  /** Made by `defineProjection`, `definePublisher` and `defineReaction`. Several versions of one name are allowed. */
  readonly projections: readonly AnyProjection[];
  /** Where the checkpoints of projections without a sink are kept. Default: the store's own, if it has them. */
  readonly checkpoints?: CheckpointStore;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
  /** @internal for tests, which can't wait that long: see {@link defaultIdlePace} */
  readonly idlePace?: Partial<IdlePace>;
}

interface IdlePace {
  /** Milliseconds without an event of its own after which a shard is idle. */
  readonly after: number;
  /**
   * Milliseconds without a heartbeat after which another worker takes over. A heartbeat is sent after 80 % of them,
   * and Temporal bills each.
   */
  readonly heartbeatTimeout: number;
  /** Milliseconds that one activity lasts. */
  readonly duration: number;
  /**
   * Milliseconds, give or take a half, for which events of its own must keep coming before a shard is busy again: the
   * next activity costs Temporal a task or two, and many shards may want the same events.
   */
  readonly busyAfter: number;
}

const defaultIdlePace: IdlePace = {
  after: 60_000,
  heartbeatTimeout: 60_000,
  duration: 55 * 60_000,
  busyAfter: 5_000,
};

/** Milliseconds for which one activity applies events, before the next takes over. */
const runDuration = 10 * 60_000;
/** The same, if this worker's definition has another number of shards. */
const formerDuration = 5_000;

/**
 * The activities behind `eventStoreProjection` and `ProjectionClient`.
 *
 * @throws InvalidArgumentError for an unknown option, two projections of one name and version, or one without a sink when
 *   there are no checkpoints
 */
export function createProjectionActivities(options: ProjectionActivitiesOptions): ProjectionActivities {
  assertOptions(
    'createProjectionActivities',
    options,
    {
      store: isPlainObject,
      projections: isList,
      checkpoints: isPlainObject,
      logger: isPlainObject,
      idlePace: isPlainObject,
    },
    ['store', 'projections'],
  );
  const { store, projections, logger } = options;
  const idlePace = { ...defaultIdlePace, ...options.idlePace };
  const checkpoints = options.checkpoints ?? store.checkpoints;
  const warnings = new ReactionWarnings(logger);
  const checkpointSink = checkpoints && new CheckpointSink(checkpoints, reactionPort(warnings));
  // Without decoding: an event that can't be decoded must not keep operators from seeing and moving a projection.
  const stored = innermostOf(store) as EventStore;
  const registry = new ProjectionRegistry(projections, ({ name }) => {
    if (checkpointSink !== undefined) return checkpointSink;
    throw new InvalidArgumentError(
      `The projection '${name}' has no sink, and the store has no checkpoints; give createProjectionActivities 'checkpoints'.`,
    );
  });

  const builds = new KnownBuilds(registry);
  const watches = new PositionWatches(async (name) =>
    positionOf(liveBuildOf(await builds.open(registry.newest(name)))),
  );
  const known = new Map(projections.map((each) => [`${each.name} (version ${each.version})`, each]));
  const activities: ProjectionActivities = {
    ...operatorActivities({ registry, builds, watches, store, stored, checkpoints, checkpointSink, logger }),

    eventStoreProject: ({ name, build, shard, until, maxRate, heartbeatTimeout, isIdle = false }) =>
      loggedHooks(
        logger,
        'Project',
        { projection: name, build, shard },
        async () => {
          const context = Context.current();
          let signs: ShardHeartbeat = {};
          const withWarning = (): ShardHeartbeat => {
            const warning = warnings.of(name);
            return { ...signs, ...(warning !== undefined && { warning }) };
          };
          const tell = (said: ShardHeartbeat): void => {
            signs = said;
            context.heartbeat(withWarning());
          };
          /** Reports a wait with its position: once the checkpoint has moved past it, the wait is over. */
          const tellWait = (position: number, said: string): string => {
            const waitsFor = said.slice(0, maxErrorLength);
            tell({ position, waitsFor });
            return waitsFor;
          };
          const run = async (): Promise<ShardOutcome> => {
            const { projection, sink, shards, role } = await builds.of(name, build).catch(leaveToOthers);
            const key = { name, build, shard };
            const duration = isIdle ? idlePace.duration : runDuration;
            const project = (signal: AbortSignal): Promise<ShardOutcome> =>
              projectShard({
                store,
                projection,
                sink,
                shard: key,
                shards,
                until,
                maxRate,
                // The worker with this number of shards may be gone: the next activity decides anew.
                duration: role === 'former' ? formerDuration : duration,
                ...(until === undefined && {
                  pace: isIdle
                    ? { kind: 'idle', busyAfter: idlePace.busyAfter * (0.5 + Math.random()) }
                    : { kind: 'busy', idleAfter: idlePace.after },
                }),
                // Each attempt takes the shard over, and reads.
                retryDelay: Math.max(delayOf(context.info.attempt), 1_000),
                signal,
                onProgress: (position) => {
                  tell({ position });
                  watches.moved(name);
                },
                onFailure: tellWait,
                onDelay: (position, said, delay) => {
                  const reason = tellWait(position, said);
                  const attributes = {
                    projection: name,
                    build,
                    shard,
                    position,
                    reason,
                    delayMs: Math.round(delay),
                  };
                  (logger ?? activityLogger()).warn('Projection waits', attributes);
                },
              });
            const outcome = await asOwner(sink, key, context.cancellationSignal, project);
            return outcome.kind === 'paused' && role === 'former' ? { kind: 'outdated' } : outcome;
          };
          const outcome = await heartbeating(run, withWarning);
          return replyOf(outcome, { build, shard }, Math.max(idlePace.heartbeatTimeout, heartbeatTimeout));
        },
        'debug',
        ({ kind }) => ({ kind }),
      ),
  };
  return madeOf({ store, part: 'projections', known }, activities);
}

function replyOf(
  outcome: ShardOutcome,
  place: { readonly build: number; readonly shard: number },
  heartbeatTimeout: number,
): Awaited<ReturnType<ProjectionActivities['eventStoreProject']>> {
  if (outcome.kind === 'paused') {
    return { kind: 'paused', ...(outcome.pace === 'idle' && { idle: { heartbeatTimeout } }) };
  }
  if (outcome.kind !== 'blocked') return outcome;
  const { failure, storeId } = outcome;
  const event = summaryOf({ ...failure, status: 'blocking' });
  return { kind: 'blocked', event, ...place, checkpoint: { storeId, position: event.position } };
}

const isList: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'a list of projections');
