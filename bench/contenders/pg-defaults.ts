import type { Contender } from './contender.js';
import { ours, schema } from './ours.js';
import { openPool } from './pg-pool.js';

/** Reads our table the way one does with pg: rows as objects, and its own parsers for each column. */
export const pgDefaults: Contender = {
  ...ours,
  name: 'pg',
  can: ['load', 'catchUp', 'readTag'],

  async open(url) {
    const pool = openPool(url);
    const page = async (after: number, limit: number) => {
      const { rows } = await pool.query<{ position: string; data: { ref: number } }>({
        name: 'page',
        text: `select * from ${schema}.events where position > $1 order by position limit $2`,
        values: [after, limit],
      });
      return rows;
    };
    return {
      async load(streamId, afterVersion) {
        const { rows } = await pool.query<{ version: string }>({
          name: 'load',
          text: `select * from ${schema}.events where stream_id = $1 and version > $2 order by version`,
          values: [streamId, afterVersion],
        });
        return { version: Number(rows.at(-1)?.version ?? afterVersion), count: rows.length };
      },
      async catchUp(limit, visit) {
        let after = 0;
        for (;;) {
          const rows = await page(after, limit);
          for (const { data } of rows) if (!visit(data.ref)) return;
          if (rows.length < limit) return;
          after = Number(rows.at(-1)!.position);
        }
      },
      async readTag(tag, after, limit) {
        const { rows } = await pool.query({
          name: 'tag',
          text: `select * from ${schema}.events where tags @> $1 and position > $2 order by position limit $3`,
          values: [[tag], after, limit],
        });
        return rows.length;
      },
      close: () => pool.end(),
    };
  },
};
