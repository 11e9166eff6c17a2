import type { AnyProjection, EventStore, ProjectionSink } from 'temporal-event-store';
import {
  projectShard,
  type ShardOutcome,
} from '../../../src/temporal/activities/projections/project-shard.js';

/** Projects the one shard of a projection, without a worker. @returns a way to do so, as often as it is called, and what is parked */
export async function openToEnd<Context>(
  store: EventStore,
  projection: AnyProjection,
  sink: ProjectionSink<Context>,
) {
  const { name, version } = projection;
  const [live] = await sink.open({ name, version, shards: 1 }, undefined);
  const build = live?.build ?? 0;
  return {
    run: (): Promise<ShardOutcome> =>
      projectShard({
        store,
        projection,
        sink: sink,
        shard: { name, build, shard: 0 },
        shards: 1,
        until: 'end',
        duration: 60_000,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onDelay: () => undefined,
      }),
    parked: () => sink.parked(name, build, 10),
  };
}
