import { ours } from '../contenders/ours.js';
import { selectWithPg } from '../contenders/pg-defaults.js';
import { openPool, runSql } from '../contenders/pg-pool.js';
import { withClient } from '../databases.js';
import type { ProjectionContender } from './contender.js';
import { applyEvents, createBalance, type ProjectedEvent } from './read-model.js';

const schema = 'by_hand';

type Page = readonly (ProjectedEvent & { readonly position: number })[];
type ReadPage = (after: number, limit: number) => Promise<Page>;

/**
 * The loop that one writes: a page of events and its checkpoint are one transaction. It knows nothing of owners, of events
 * that can't be applied, or of commits that come late. It reads what the library gives to handlers: whole events.
 */
export const byHand = contender('by hand', async (url, run) => {
  const pool = openPool(url);
  try {
    return await run(selectWithPg(pool, ours.table).page);
  } finally {
    await pool.end();
  }
});

/** The same, when one knows beforehand which columns the read model is made of. */
export const byHandOfThreeColumns = contender('by hand, 3 columns', (url, run) =>
  withClient(url, (client) =>
    run(async (after, limit) => {
      const { rows } = await client.query<ProjectedEvent & { readonly position: string }>(
        `select position, stream_id as "streamId", data from ${ours.table}
           where position > $1 order by position limit $2`,
        [after, limit],
      );
      return rows.map((row) => ({ ...row, position: Number(row.position) }));
    }),
  ),
);

function contender(
  name: string,
  withReader: <T>(url: string, run: (read: ReadPage) => Promise<T>) => Promise<T>,
): ProjectionContender {
  return {
    name,
    source: ours,
    statementPer: ['event', 'page'],
    schema,

    async catchUp({ url }, { pageSize, statementPer }) {
      await runSql(url, [
        `drop schema if exists ${schema} cascade`,
        `create schema ${schema}`,
        `set search_path = ${schema}`,
        createBalance,
        'create table checkpoint (position bigint not null)',
        'insert into checkpoint values (0)',
      ]);
      return withReader(url, (read) =>
        withClient(url, async (client) => {
          await client.query(`set search_path = ${schema}`);
          const start = performance.now();
          for (let [position, lastRef] = [0, 0]; ;) {
            const events = await read(position, pageSize);
            const last = events.at(-1);
            if (last === undefined) return { lastRef, seconds: (performance.now() - start) / 1000 };
            await client.query('begin');
            await applyEvents(client, events, statementPer);
            await client.query('update checkpoint set position = $1', [last.position]);
            await client.query('commit');
            position = last.position;
            lastRef = last.data.ref;
          }
        }),
      );
    },
  };
}
