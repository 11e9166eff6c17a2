import type { Pool } from 'pg';
import type { Abilities, Contender, EventData } from './contender.js';
import { ours, schema } from './ours.js';
import { openPool } from './pg-pool.js';

/**
 * Reads our table the way one does with pg: rows as objects, each column by pg's own parser, only the columns that are
 * needed. It answers with the same objects as ours, property by property, so that the same answer is compared; the suites
 * check that it is.
 */
export const pgDefaults: Contender = {
  ...ours,
  name: 'pg',
  can: ['load', 'catchUp'],

  open(url) {
    const pool = openPool(url);
    return Promise.resolve({ ...readWithPg(pool, `${schema}.events`), close: () => pool.end() });
  },
};

/** As pg's parsers leave it: 64-bit integers as text, JSON and arrays parsed, times as `Date`. */
interface EventRow {
  readonly position: string;
  readonly stream_id: string;
  readonly version: string;
  readonly id: string;
  readonly commit_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: EventData;
  readonly metadata: object;
  readonly tags: readonly string[];
  readonly occurred_at: Date;
  readonly recorded_at: Date;
}

/** Readers of a table that has the columns of our events. */
export function readWithPg(pool: Pool, table: string): Pick<Abilities, 'load' | 'catchUp' | 'poll'> {
  const { select, page } = selectWithPg(pool, table);
  return {
    async load(streamId, afterVersion) {
      const conditions = 'stream_id = $1 and version > $2 order by version';
      const events = await select('load', conditions, [streamId, afterVersion]);
      return { version: events.at(-1)?.version ?? afterVersion, events };
    },
    async catchUp(limit, visit) {
      for (let after = 0; ;) {
        const events = await page(after, limit);
        for (const event of events) if (!visit(event)) return;
        if (events.length < limit) return;
        after = events.at(-1)!.position;
      }
    },
    async poll(after, limit) {
      const events = await page(after, limit);
      return { refs: events.map(({ data }) => data.ref), cursor: events.at(-1)?.position ?? after };
    },
  };
}

/** Events as the library gives them, by their condition or by the position that they follow. */
export function selectWithPg(pool: Pool, table: string) {
  const select = async (name: string, conditions: string, values: readonly (string | number)[]) => {
    const { rows } = await pool.query<EventRow>({
      name,
      text: `select position, stream_id, version, id, commit_id, type, schema_version, data, metadata, tags, occurred_at,
        recorded_at from ${table} where ${conditions}`,
      values: [...values],
    });
    return rows.map(toRecordedEvent);
  };
  const page = (after: number, limit: number) =>
    select('page', 'position > $1 order by position limit $2', [after, limit]);
  return { select, page };
}

function toRecordedEvent(row: EventRow) {
  return {
    id: row.id,
    streamId: row.stream_id,
    version: Number(row.version),
    position: Number(row.position),
    commitId: row.commit_id,
    type: row.type,
    schemaVersion: row.schema_version,
    data: row.data,
    metadata: row.metadata,
    tags: row.tags,
    occurredAt: row.occurred_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
  };
}
