import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ours as source } from '../contenders/ours.js';
import { runSql } from '../contenders/pg-pool.js';
import { withClient } from '../databases.js';
import { ProjectionClient } from '../library.js';
import { withWorker } from '../worker.js';
import type { ProjectionContender, ProjectionPlace } from './contender.js';
import { projectionName } from './projection.js';

const workerFile = new URL('./worker-process.ts', import.meta.url);

/** `defineProjection` on a Temporal worker, from `ProjectionClient.start` on. */
export const ours: ProjectionContender = {
  name: 'ours',
  source,
  statementPer: ['event', 'page'],
  schema: projectionName,

  async catchUp(place, { pageSize, statementPer, lastRef }) {
    const { url } = place;
    await runSql(url, [
      `drop schema if exists ${projectionName} cascade`,
      'drop schema if exists event_store_projections cascade',
    ]);
    const env = { STATEMENT_PER: statementPer, PAGE_SIZE: String(pageSize) };
    return withProjectionWorker(place, env, async (projections) => {
      const start = performance.now();
      await projections.start(projectionName);
      await untilCaughtUp(url);
      const seconds = (performance.now() - start) / 1000;
      await projections.stop(projectionName);
      return { lastRef, seconds };
    });
  },

  follow: (place, run) =>
    withProjectionWorker(place, {}, async (projections) => {
      await projections.start(projectionName);
      const result = await run();
      await projections.stop(projectionName);
      return result;
    }),
};

function withProjectionWorker<T>(
  { url: storeUrl, temporal, client, codePath }: ProjectionPlace,
  env: Readonly<Record<string, string>>,
  run: (projections: InstanceType<typeof ProjectionClient>) => Promise<T>,
): Promise<T> {
  const taskQueue = `bench-${randomUUID()}`;
  const place = { ...temporal, taskQueue, storeUrl, codePath };
  return withWorker(workerFile, place, () => run(new ProjectionClient({ client, taskQueue })), env);
}

/** Looks at the checkpoint itself, since `waitFor` asks the workflow; and seldom, since it takes from what is measured. */
async function untilCaughtUp(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ isThere: boolean }>(
        `select coalesce(position, 0) >= (select max(position) from ${source.table}) as "isThere"
           from event_store_projections.shards where projection = $1`,
        [projectionName],
      );
      if (rows[0]?.isThere === true) return;
      await delay(50);
    }
  });
}
