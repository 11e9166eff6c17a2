import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { InvalidArgumentError } from '../../../core/errors/errors.js';
import type { CheckpointStore, StoreCapabilities } from '../../../core/store/capabilities.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { ProjectionActivities } from '../../shared/activity-types.js';
import { liveBuildOf, positionOf } from '../../shared/projection.js';
import type { ActivityLogger } from '../logged.js';
import { heartbeating } from './heartbeating.js';
import { hookOf, loggedHooks } from './hooks.js';
import { specOf, type KnownBuilds } from './known-builds.js';
import { maxParked, summariesOf } from './parked-summary.js';
import type { ProjectionRegistry } from './projection-registry.js';
import { UnseenTypes } from './unseen-types.js';

/** What the activities of an operator work on. */
export interface OperatorActivitiesOptions {
  readonly registry: ProjectionRegistry;
  readonly builds: KnownBuilds;
  readonly store: Partial<StoreCapabilities>;
  /** As events are stored. */
  readonly stored: EventStore;
  readonly checkpoints: CheckpointStore | undefined;
  readonly logger: ActivityLogger | undefined;
}

/** What `eventStoreProjection` does besides projecting: it looks at builds, makes, switches and drops them, and decides on events. */
export function operatorActivities({
  registry,
  builds,
  store,
  stored,
  checkpoints,
  logger,
}: OperatorActivitiesOptions): Omit<ProjectionActivities, 'eventStoreProject'> {
  const unseenTypes = new UnseenTypes(stored);
  return {
    eventStoreOpenProjection: ({ name }) =>
      loggedHooks(
        logger,
        'Open projection',
        { projection: name },
        () => heartbeating(() => builds.open(registry.newest(name))),
        'debug',
      ),

    eventStoreFenceProjection: ({ name }) =>
      loggedHooks(
        logger,
        'Fence projection',
        { projection: name },
        () => heartbeating(() => registry.newest(name).sink.fence(name)),
        'debug',
      ),

    eventStoreProjectionProgress: ({ name, withUnseen = false }) =>
      loggedHooks(
        logger,
        'Projection progress',
        { projection: name },
        async () => {
          const newest = registry.newest(name);
          const found = await builds.open(newest);
          const position = positionOf(liveBuildOf(found));
          const [{ end }, [next]] = await Promise.all([endOf(stored), readNext(stored, position)]);
          const unseen = withUnseen ? await unseenTypes.of(newest.projection) : [];
          return {
            builds: found,
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
            const { projection, sink } = await builds.of(name, build);
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
            const { progress = [] } = liveBuildOf(await builds.open({ projection, sink })) ?? {};
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
          const live = liveBuildOf(await builds.open(newest));
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
          const isDecided = await registry
            .newest(name)
            .sink.decide(
              name,
              build,
              skip === undefined
                ? { action: 'retry', eventId }
                : { action: 'skip', eventId, ...skip, ...(blockedAt !== undefined && { blockedAt }) },
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
