import type { EventData } from '../contenders/contender.js';
import { ours, schema as storeSchema } from '../contenders/ours.js';
import { runSql } from '../contenders/pg-pool.js';
import { withClient } from '../databases.js';
import type { ProjectionContender } from './contender.js';
import { applyEvents, createBalance } from './read-model.js';

const schema = 'by_hand';

/**
 * The loop that one writes: it reads the columns that it needs, and a page and its checkpoint are one transaction. It
 * knows nothing of owners, of events that can't be applied, or of commits that come late.
 */
export const byHand: ProjectionContender = {
  name: 'by hand',
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
    return withClient(url, async (client) => {
      await client.query(`set search_path = ${schema}`);
      const start = performance.now();
      for (let [position, lastRef] = [0, 0]; ;) {
        const { rows } = await client.query<EventRow>(
          `select position, stream_id as "streamId", data from ${storeSchema}.events
             where position > $1 order by position limit $2`,
          [position, pageSize],
        );
        const last = rows.at(-1);
        if (last === undefined) return { lastRef, seconds: (performance.now() - start) / 1000 };
        await client.query('begin');
        await applyEvents(client, rows, statementPer);
        await client.query('update checkpoint set position = $1', [last.position]);
        await client.query('commit');
        position = Number(last.position);
        lastRef = last.data.ref;
      }
    });
  },
};

interface EventRow {
  readonly position: string;
  readonly streamId: string;
  readonly data: EventData;
}
