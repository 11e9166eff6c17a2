import type { ParkDecision, ProjectionBuild } from '../../../core/projections/projection-sink.js';
import { shardOf } from '../../../core/projections/shard-of.js';
import type { EventStore } from '../../../core/store/event-store.js';
import type { RegisteredProjection } from './projection-registry.js';

type Place = NonNullable<Extract<ParkDecision, { readonly action: 'skip' }>['blockedAt']>;

/**
 * The shard that waits at an event: its checkpoint is right before it. For a sink that keeps checkpoints only, where no other process knows what
 * it waits at.
 *
 * @param store as events are stored
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
