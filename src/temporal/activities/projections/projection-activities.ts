import { Context } from '@temporalio/activity';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { InvalidArgumentError } from '../../../core/errors/errors.js';
import type { BuildSpec, ProjectionBuild } from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import type { CheckpointStore, ReaderHints, StoreCapabilities } from '../../../core/store/capabilities.js';
import { innermostOf } from '../../../core/store/decorated-store.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { assertOptions, isPlainObject, type OptionCheck } from '../../../core/store/options.js';
import type { ProjectionActivities } from '../../shared/activity-types.js';
import { liveBuildOf, positionOf, type ProjectionSigns } from '../../shared/projection.js';
import { madeOf } from '../activity-source.js';
import { activityLogger, type ActivityLogger } from '../logged.js';
import { reactionPort } from '../reactions/reaction-port.js';
import { ReactionWarnings } from '../reactions/reaction-warnings.js';
import { unknownHereFailure } from '../unknown-here.js';
import { CheckpointSink } from './checkpoint-sink.js';
import { heartbeating } from './heartbeating.js';
import { hookOf, loggedHooks } from './hooks.js';
import { asOwner, endOwners } from './owners.js';
import { maxErrorLength, maxParked, summariesOf, summaryOf } from './parked-summary.js';
import { projectShare, type ShareOutcome } from './project-share.js';
import { ProjectionRegistry, UnknownProjectionError, type SunkProjection } from './projection-registry.js';
import { UnseenTypes } from './unseen-types.js';
import { findWaitingAt } from './waiting-at.js';

export interface ProjectionActivitiesOptions {
  readonly store: EventStore & Partial<StoreCapabilities> & ReaderHints;
  /** Made by `defineProjection`, `definePublisher` and `defineReaction`. Of one name, several versions may be there. */
  readonly projections: readonly AnyProjection[];
  /** Where the checkpoints of projections without a sink are kept. Default: those of the store, where it has them. */
  readonly checkpoints?: CheckpointStore;
  /** Default: the activity's own logger. */
  readonly logger?: ActivityLogger;
  /** @internal for tests, which don't have the time: see {@link defaultIdlePace} */
  readonly idlePace?: Partial<IdlePace>;
}

interface IdlePace {
  /** Milliseconds without an event of its own after which a shard is idle. */
  readonly after: number;
  /** Milliseconds without a sign of life after which another worker takes over. Temporal is told at 80 % of them, and bills each. */
  readonly heartbeatTimeout: number;
  /** Milliseconds that one activity lasts. */
  readonly duration: number;
  /**
   * Milliseconds that events of its own have to keep coming for before a shard is busy again, give or take a half: the next activity costs
   * Temporal a task or two, and many shards may want the same events.
   */
  readonly busyAfter: number;
}

const defaultIdlePace: IdlePace = {
  after: 60_000,
  heartbeatTimeout: 60_000,
  duration: 55 * 60_000,
  busyAfter: 5_000,
};

/** Milliseconds that one activity applies events for, before the next takes over. */
const runDuration = 10 * 60_000;
/** The same, where the definition that this worker has says another number of shards. */
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
  // As events are stored: one that can't be decoded must not keep an operator from seeing and moving a projection.
  const stored = innermostOf(store) as EventStore;
  const unseenTypes = new UnseenTypes(stored);
  const registry = new ProjectionRegistry(projections, ({ name }) => {
    if (checkpointSink !== undefined) return checkpointSink;
    throw new InvalidArgumentError(
      `The projection '${name}' has no sink, and the store has no checkpoints; give createProjectionActivities 'checkpoints'.`,
    );
  });

  /** The builds, and for each the projection that it is of. */
  const openBuilds = ({ projection, sink }: SunkProjection): ReturnType<typeof sink.open> =>
    sink.open(specOf(projection), hookOf(projection, 'init'));
  const buildOf = async (
    name: string,
    build: number,
  ): Promise<SunkProjection & Pick<ProjectionBuild, 'shares' | 'role'>> => {
    const newest = registry.newest(name);
    const found = (await openBuilds(newest)).find((other) => other.build === build);
    if (found === undefined) {
      throw new InvalidArgumentError(`The projection '${name}' has no build ${build} any more.`);
    }
    const { projection, sink } = registry.get(name, found.version);
    return { projection, sink, shares: found.shares, role: found.role };
  };

  const known = new Map(projections.map((each) => [`${each.name} (version ${each.version})`, each]));
  const activities: ProjectionActivities = {
    eventStoreOpenProjection: ({ name }) =>
      loggedHooks(
        logger,
        'Open projection',
        { projection: name },
        () => heartbeating(() => openBuilds(registry.newest(name))),
        'debug',
      ),

    eventStoreProject: ({ name, build, share, until, maxRate, heartbeatTimeout, isIdle = false }) =>
      loggedHooks(
        logger,
        'Project',
        { projection: name, build, share },
        async () => {
          const context = Context.current();
          let signs: ProjectionSigns = {};
          const withWarning = (): ProjectionSigns => {
            const warning = warnings.of(name);
            return { ...signs, ...(warning !== undefined && { warning }) };
          };
          const tell = (said: ProjectionSigns): void => {
            signs = said;
            context.heartbeat(withWarning());
          };
          const run = async (): Promise<ShareOutcome> => {
            const { projection, sink, shares, role } = await buildOf(name, build).catch(leaveToOthers);
            const key = { name, build, share };
            const duration = isIdle ? idlePace.duration : runDuration;
            const project = (signal: AbortSignal): Promise<ShareOutcome> =>
              projectShare({
                store,
                projection,
                sink,
                share: key,
                shares,
                until,
                maxRate,
                // Who decided on this number of shards may have left: whoever asks next decides anew.
                duration: role === 'former' ? formerDuration : duration,
                ...(until === undefined && {
                  pace: isIdle
                    ? { kind: 'idle', busyAfter: idlePace.busyAfter * (0.5 + Math.random()) }
                    : { kind: 'busy', idleAfter: idlePace.after },
                }),
                signal,
                onProgress: (position) => {
                  tell({ position });
                },
                onFailure: (error) => {
                  tell({ ...signs, waitsFor: error.slice(0, maxErrorLength) });
                },
                onDelay: (position, said, delay) => {
                  const reason = said.slice(0, maxErrorLength);
                  tell({ position, waitsFor: reason });
                  const attributes = {
                    projection: name,
                    build,
                    share,
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
          return replyOf(outcome, { build, share }, Math.max(idlePace.heartbeatTimeout, heartbeatTimeout));
        },
        'debug',
        ({ kind }) => ({ kind }),
      ),

    eventStoreFenceProjection: ({ name }) =>
      loggedHooks(
        logger,
        'Fence projection',
        { projection: name },
        async () => {
          const { sink } = registry.newest(name);
          await heartbeating(() => sink.fence(name));
          endOwners(sink, { name });
        },
        'debug',
      ),

    eventStoreProjectionProgress: ({ name, withUnseen = false }) =>
      loggedHooks(
        logger,
        'Projection progress',
        { projection: name },
        async () => {
          const newest = registry.newest(name);
          const builds = await openBuilds(newest);
          const position = positionOf(liveBuildOf(builds));
          const [{ end }, [next]] = await Promise.all([endOf(stored), readNext(stored, position)]);
          const unseen = withUnseen ? await unseenTypes.of(newest.projection) : [];
          return {
            builds,
            ...(unseen.length > 0 && { unseenTypes: unseen }),
            end,
            lagSeconds:
              next === undefined ? 0 : Math.max(Date.now() - Date.parse(next.recordedAt), 0) / 1_000,
          };
        },
        'debug',
      ),

    eventStoreBeginBuild: ({ name }) =>
      loggedHooks(
        logger,
        'Begin build',
        { projection: name },
        async () => {
          const { projection, sink } = registry.newest(name);
          const hooks = { init: hookOf(projection, 'init'), reset: hookOf(projection, 'reset') };
          return heartbeating(() => sink.begin(specOf(projection), hooks));
        },
        'info',
        ({ build, version }) => ({ build, version }),
      ),

    eventStoreVerifyBuild: ({ name, build }) =>
      loggedHooks(
        logger,
        'Verify build',
        { projection: name, build },
        async () => {
          await heartbeating(async () => {
            const { projection, sink } = await buildOf(name, build);
            await sink.inspect(name, build, hookOf(projection, 'verify'));
          });
        },
        'info',
      ),

    eventStoreActivateBuild: ({ name, build }) =>
      loggedHooks(
        logger,
        'Activate build',
        { projection: name, build },
        async () => {
          const { projection, sink } = registry.newest(name);
          await heartbeating(() => sink.activate(name, build, hookOf(projection, 'reset')));
        },
        'info',
      ),

    eventStoreDropBuild: ({ name, build }) =>
      loggedHooks(
        logger,
        'Drop build',
        { projection: name, build },
        async () => {
          const { projection, sink } = registry.newest(name);
          await heartbeating(() => sink.drop(name, build, hookOf(projection, 'reset')));
          endOwners(sink, { name, build });
        },
        'info',
      ),

    eventStoreRebaseProjection: ({ name, from }) =>
      loggedHooks(
        logger,
        'Rebase projection',
        { projection: name, from },
        () =>
          heartbeating(async () => {
            const { projection, sink } = registry.newest(name);
            if (sink.rebase === undefined) {
              throw new InvalidArgumentError(
                `The projection '${name}' keeps a read model in its sink, which is what the events from the first on say: rebuild it.`,
              );
            }
            const { storeId, end } = await endOf(stored);
            const after = from === 'beginning' ? 0 : from === 'end' ? end : from;
            await sink.rebase(specOf(projection), { storeId, end, after });
          }),
        'info',
      ),

    eventStoreAdoptStore: ({ name }) =>
      loggedHooks(
        logger,
        'Adopt store',
        { projection: name },
        () =>
          heartbeating(async () => {
            const { projection, sink } = registry.newest(name);
            const isKeptHere = checkpoints !== undefined && checkpoints === store.checkpoints;
            if (!isKeptHere || sink.rebase === undefined || projection.reset !== undefined) return;
            const { storeId, end } = await endOf(stored);
            const { progress = [] } = liveBuildOf(await openBuilds({ projection, sink })) ?? {};
            const isDue = progress.some(({ checkpoint }) => checkpoint && checkpoint.storeId !== storeId);
            const isBehindEnd = progress.some(({ checkpoint }) => Number(checkpoint?.position) > end);
            if (!isDue || isBehindEnd) return;
            await sink.rebase(specOf(projection), { storeId, end, after: 'checkpoint' });
          }),
        'info',
      ),

    eventStoreParkedEvents: ({ name }) =>
      loggedHooks(
        logger,
        'Parked events',
        { projection: name },
        async () => {
          const newest = registry.newest(name);
          const live = liveBuildOf(await openBuilds(newest));
          const parked = live === undefined ? [] : await newest.sink.parked(name, live.build, maxParked);
          return summariesOf(parked);
        },
        'debug',
      ),

    eventStoreDecideParked: ({ name, build, eventId, skip, blockedAt }) =>
      loggedHooks(
        logger,
        skip === undefined ? 'Retry parked event' : 'Skip parked event',
        { projection: name, build, eventId, ...skip },
        async () => {
          const newest = registry.newest(name);
          const isKeptOnly = newest.sink === checkpointSink;
          const place =
            blockedAt ??
            (isKeptOnly ? await findWaitingAt(stored, newest, await openBuilds(newest), eventId) : undefined);
          const isDecided = await newest.sink.decide(
            name,
            build,
            skip === undefined
              ? { action: 'retry', eventId }
              : { action: 'skip', eventId, ...skip, ...(place !== undefined && { blockedAt: place }) },
          );
          if (!isDecided) {
            throw new InvalidArgumentError(
              `The event '${eventId}' is not parked by the projection '${name}'.`,
            );
          }
        },
        'info',
      ),
  };
  return madeOf({ store, part: 'projections', known }, activities);
}

function specOf({ name, version, shards, fingerprint }: AnyProjection): BuildSpec {
  return { name, version, shares: shards, ...(fingerprint !== undefined && { fingerprint }) };
}

/** To a worker that knows the projection: while a release is rolled out, not all do. */
function leaveToOthers(error: unknown): never {
  if (!(error instanceof UnknownProjectionError)) throw error;
  throw unknownHereFailure(error.message, { nextRetryDelay: '1 second' });
}

async function endOf(store: EventStore): Promise<{ readonly storeId: string; readonly end: number }> {
  const { storeId, events } = await store.readAll({ direction: 'backward', limit: 1 });
  return { storeId, end: events[0]?.position ?? 0 };
}

async function readNext(
  store: EventStore,
  after: number,
): Promise<readonly { readonly recordedAt: string }[]> {
  try {
    return (await store.readAll({ after, limit: 1 })).events;
  } catch (error) {
    // It has failed of that, and its status says so.
    if (findEventStoreError(error, 'POSITION_AHEAD_OF_STORE') === undefined) throw error;
    return [];
  }
}

function replyOf(
  outcome: ShareOutcome,
  place: { readonly build: number; readonly share: number },
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
