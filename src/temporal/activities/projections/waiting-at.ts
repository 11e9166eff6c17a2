import type { ParkDecision, ProjectionBuild } from '../../../core/projections/projection-sink.js';
import { shardOf } from '../../../core/projections/shard-of.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { RegisteredProjection } from './projection-registry.js';

type Place = NonNullable<Extract<ParkDecision, { readonly action: 'skip' }>['blockedAt']>;

/**
 * Finds the shard that waits at an event, by its checkpoint right before the event. For a sink that keeps only
 * checkpoints, with which other processes don't know the event.
 *
 * @param store without decoding
 */
export async function findWaitingAt(
  store: EventStore,
  { projection }: RegisteredProjection,
  builds: readonly ProjectionBuild[],
  eventId: string,
): Promise<Place | undefined> {
  const { filter } = projection;
  for (const { build, shards, progress } of builds) {
    for (const [shard, { checkpoint }] of progress.entries()) {
      const {
        events: [next],
        storeId,
      } = await store.readAll({
        after: checkpoint?.position ?? 0,
        limit: 1,
        ...(filter !== undefined && { filter }),
      });
      if (next?.id !== eventId || shardOf(next.streamId, shards) !== shard) continue;
      return { build, shard, checkpoint: { storeId, position: next.position } };
    }
  }
  return undefined;
}
