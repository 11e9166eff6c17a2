import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { EventNotParkedError } from '../../../core/errors/projection-errors.js';
import type { ProjectionSink } from '../../../core/projections/projection-sink.js';
import type { StoreCapabilities } from '../../../core/store/capabilities.js';
import type { CheckpointStore } from '../../../core/store/checkpoint.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { ProjectionActivities } from '../../shared/activity-types.js';
import type { ReachedPosition } from '../../shared/projection-requests.js';
import { liveBuildOf, positionOf } from '../../shared/projection-status.js';
import type { ActivityLogger } from '../logged.js';
import { heartbeating } from './heartbeating.js';
import { hookOf, loggedHooks } from './hooks.js';
import { specOf, type KnownBuilds } from './known-builds.js';
import { leavingToOthers } from './leave-to-others.js';
import { endOwners } from './owners.js';
import { maxParked, summariesOf } from './parked-summary.js';
import type { PositionWatches } from './position-watches.js';
import {
  UnknownHereError,
  type ProjectionRegistry,
  type RegisteredProjection,
} from './projection-registry.js';
import { UnseenTypes } from './unseen-types.js';
import { untilPrimary } from './until-primary.js';
import { findWaitingAt } from './waiting-at.js';

/** What an operator's activities work on. */
export interface OperatorActivitiesOptions {
  readonly registry: ProjectionRegistry;
  readonly builds: KnownBuilds;
  readonly watches: PositionWatches;
  readonly store: Partial<StoreCapabilities>;
  /** The store without decoding: events as they are stored. */
  readonly stored: EventStore;
  readonly checkpoints: CheckpointStore | undefined;
  /** The sink for projections without one of their own. */
  readonly checkpointSink: ProjectionSink<unknown> | undefined;
  readonly logger: ActivityLogger | undefined;
}

/**
 * The activities of `eventStoreProjection` besides projecting: they read, make, switch and drop builds, and decide
 * on parked events.
 */
export function operatorActivities({
  registry,
  builds,
  watches,
  store,
  stored,
  checkpoints,
  checkpointSink,
  logger,
}: OperatorActivitiesOptions): Omit<ProjectionActivities, 'eventStoreProject'> {
  const unseenTypes = new UnseenTypes(stored);
  const perform = <T>(
    operation: string,
    attributes: Record<string, unknown>,
    run: () => Promise<T>,
    level: 'debug' | 'info' = 'debug',
    describe?: (result: T) => Record<string, unknown>,
  ): Promise<T> => {
    const { info } = Context.current();
    // The trace of earlier attempts, for later ones.
    const alive = (): Promise<T> =>
      heartbeating(run, () => info.heartbeatDetails as unknown).catch((error: unknown) => {
        throw untilPrimary(error);
      });
    return loggedHooks(logger, operation, attributes, () => leavingToOthers(alive), level, describe);
  };
  return {
    eventStoreOpenProjection: ({ name }) =>
      perform('Open projection', { projection: name }, () => builds.open(registry.newest(name))),

    eventStoreFenceProjection: ({ name }) =>
      perform('Fence projection', { projection: name }, async () => {
        const { sink } = registry.newest(name);
        await sink.fence(name);
        endOwners(sink, { name });
      }),

    eventStoreProjectionProgress: ({ name, withUnseen = false }) =>
      perform('Projection progress', { projection: name }, async () => {
        const newest = registry.newest(name);
        const found = await builds.open(newest);
        const position = positionOf(liveBuildOf(found));
        const [{ end }, [next]] = await Promise.all([endOf(stored), readNext(stored, position)]);
        const unseen = withUnseen ? await unseenTypes.of(newest.projection) : [];
        return {
          builds: found,
          ...(unseen.length > 0 && { unseenTypes: unseen }),
          end,
          lagSeconds: next === undefined ? 0 : Math.max(Date.now() - Date.parse(next.recordedAt), 0) / 1_000,
        };
      }),

    eventStoreAwaitPosition: async (awaited) => {
      const { client, info } = Context.current();
      const look = async (): Promise<ReachedPosition | undefined> => {
        registry.newest(awaited.name);
        return info.isLocal ? watches.wait(awaited) : undefined;
      };
      const reached = await perform('Await position', { ...awaited }, look);
      if (reached !== undefined) return reached;
      // Completed later, so that waits hold no slot, however many they are.
      void completeLater(client, info.taskToken, watches.wait(awaited));
      throw new CompleteAsyncError();
    },

    eventStoreBeginBuild: ({ name, version, settles = false }) =>
      perform(
        'Begin build',
        { projection: name },
        async () => {
          const { projection, sink } =
            version === undefined ? await newestToBuild(name, settles) : registry.get(name, version);
          const hooks = { init: hookOf(projection, 'init'), reset: hookOf(projection, 'reset') };
          return sink.begin(specOf(projection), hooks);
        },
        'info',
        (begun) => ({ build: begun.build, version: begun.version }),
      ),

    eventStoreVerifyBuild: ({ name, build }) =>
      perform(
        'Verify build',
        { projection: name, build },
        async () => {
          const { projection, sink } = await builds.of(name, build);
          await sink.inspect(name, build, hookOf(projection, 'verify'));
        },
        'info',
      ),

    eventStoreActivateBuild: ({ name, build }) =>
      perform(
        'Activate build',
        { projection: name, build },
        async () => {
          const { projection, sink } = registry.newest(name);
          await sink.activate(name, build, hookOf(projection, 'reset'));
        },
        'info',
      ),

    eventStoreDropBuild: ({ name, build }) =>
      perform(
        'Drop build',
        { projection: name, build },
        async () => {
          const { projection, sink } = registry.newest(name);
          await sink.drop(name, build, hookOf(projection, 'reset'));
          endOwners(sink, { name, build });
        },
        'info',
      ),

    eventStoreRebaseProjection: ({ name, from }) =>
      perform(
        'Rebase projection',
        { projection: name, from },
        async () => {
          const { projection, sink } = registry.newest(name);
          if (sink.rebase === undefined) {
            throw new InvalidArgumentError(
              `The projection '${name}' keeps a read model in its sink, which is what the events from the first on say: rebuild it.`,
            );
          }
          const { storeId, end } = await endOf(stored);
          const after = from === 'beginning' ? 0 : from === 'end' ? end : from;
          await sink.rebase(specOf(projection), { storeId, end, after });
        },
        'info',
      ),

    eventStoreAdoptStore: ({ name }) =>
      perform(
        'Adopt store',
        { projection: name },
        async () => {
          const { projection, sink } = registry.newest(name);
          const isKeptHere = checkpoints !== undefined && checkpoints === store.checkpoints;
          if (!isKeptHere || sink.rebase === undefined || projection.reset !== undefined) return;
          const { storeId, end } = await endOf(stored);
          const { progress = [] } = liveBuildOf(await builds.open({ projection, sink })) ?? {};
          const isDue = progress.some(({ checkpoint }) => checkpoint && checkpoint.storeId !== storeId);
          const isBehindEnd = progress.some(({ checkpoint }) => Number(checkpoint?.position) > end);
          if (!isDue || isBehindEnd) return;
          await sink.rebase(specOf(projection), { storeId, end, after: 'checkpoint' });
        },
        'info',
      ),

    eventStoreParkedEvents: ({ name }) =>
      perform('Parked events', { projection: name }, async () => {
        const newest = registry.newest(name);
        const live = liveBuildOf(await builds.open(newest));
        const parked = live === undefined ? [] : await newest.sink.parked(name, live.build, maxParked);
        return summariesOf(parked);
      }),

    eventStoreDecideParked: ({ name, build, eventId, skip, blockedAt }) =>
      perform(
        skip === undefined ? 'Retry parked event' : 'Skip parked event',
        { projection: name, build, eventId, ...skip },
        async () => {
          const newest = registry.newest(name);
          const isKeptOnly = newest.sink === checkpointSink;
          const place =
            blockedAt ??
            (isKeptOnly
              ? await findWaitingAt(stored, newest, await builds.open(newest), eventId)
              : undefined);
          const isDecided = await newest.sink.decide(
            name,
            build,
            skip === undefined
              ? { action: 'retry', eventId }
              : { action: 'skip', eventId, ...skip, ...(place !== undefined && { blockedAt: place }) },
          );
          if (!isDecided) {
            throw new EventNotParkedError(
              `The event '${eventId}' is not parked by the projection '${name}'.`,
              { projection: name, eventId },
            );
          }
        },
        'info',
      ),
  };

  /** Never older than the live one. Its own version is built again if no worker with a newer one is found. */
  async function newestToBuild(name: string, settles: boolean): Promise<RegisteredProjection> {
    const newest = registry.newest(name);
    const { version = 0 } = liveBuildOf(await builds.open(newest)) ?? {};
    const isOlder = newest.projection.version < version;
    const mayBeNew = newest.projection.version > version || settles;
    if (mayBeNew && !isOlder) return newest;
    throw new UnknownHereError(
      `version ${version} of the projection '${name}', which is live, or a newer one`,
      registry.versions(name),
      `Deploy one that does, or say which version is to be built: rebuild('${name}', { version }).`,
      true,
    );
  }
}

/** Completes an activity that no longer holds its slot. */
async function completeLater(
  client: Client,
  taskToken: Uint8Array,
  waiting: Promise<ReachedPosition>,
): Promise<void> {
  try {
    await client.activity.complete(taskToken, await waiting);
  } catch {
    // The time-out gives the activity to another worker.
  }
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
    // The projection has failed for this reason, and its status says so.
    if (findEventStoreError(error, 'POSITION_AHEAD_OF_STORE') === undefined) throw error;
    return [];
  }
}
