import { Conflict, type Append, type Contender, type NewEvent } from './contender.js';
import { fillEventsSql, migrate, schema } from './ours.js';
import { readWithPg } from './pg-defaults.js';
import { isUniqueViolation, openPool, runSql } from './pg-pool.js';

const table = 'bench.raw_events';
const sequence = 'bench.raw_positions';

/**
 * One prepared INSERT per append, a transaction by itself, into a table with the columns and indexes of ours: what
 * PostgreSQL gives to whoever checks nothing. Its reader is the obvious one, which remembers the highest position that it has seen.
 */
export const raw: Contender = {
  name: 'raw',
  database: 'raw',
  can: ['append', 'load', 'poll'],
  claimsRepeatsAreSafe: false,
  table,
  storedSql: `select (data->>'ref')::bigint as ref, stream_id, version from ${table}`,

  async prepare(url) {
    await migrate(url);
    await runSql(url, [
      'create schema bench',
      `create table ${table} (like ${schema}.events including all)`,
      // LIKE copies no sequence; nor triggers, of which ours are for statements other than INSERT.
      `create sequence ${sequence}`,
    ]);
  },

  fillSql: (rows) => fillEventsSql(table, sequence, rows),

  open(url) {
    const pool = openPool(url);
    return Promise.resolve({
      async append(append) {
        const count = append.events.length;
        try {
          await pool.query({ name: `append-${count}`, text: insertSql(count), values: toValues(append) });
        } catch (error) {
          if (isUniqueViolation(error)) throw new Conflict();
          throw error;
        }
      },
      ...readWithPg(pool, table),
      close: () => pool.end(),
    });
  },
};

const columns = `position, stream_id, version, id, commit_id, category, type, schema_version, data, metadata,
  correlation_id, tags, occurred_at, recorded_at`;
const parametersPerEvent = 11;
const statements = new Map<number, string>();

function insertSql(count: number): string {
  let statement = statements.get(count);
  if (statement === undefined) {
    const rows = Array.from({ length: count }, (_, index) => rowSql(index * parametersPerEvent));
    statement = `insert into ${table} (${columns}) values ${rows.join(', ')}`;
    statements.set(count, statement);
  }
  return statement;
}

function rowSql(before: number): string {
  const [streamId, version, id, commitId, category, type, data, metadata, correlationId, tags, occurredAt] =
    Array.from({ length: parametersPerEvent }, (_, index) => `$${before + index + 1}`);
  return `(nextval('${sequence}'), ${streamId}, ${version}, ${id}, ${commitId}, ${category}, ${type}, 1, ${data},
    ${metadata}, ${correlationId}, ${tags}, coalesce(${occurredAt}, now()), now())`;
}

function toValues({ streamId, expectedVersion, commitId, events }: Append): unknown[] {
  const category = streamId.slice(0, streamId.indexOf('-'));
  return events.flatMap((event: NewEvent, index) => [
    streamId,
    expectedVersion + index + 1,
    event.id,
    commitId,
    category,
    event.type,
    JSON.stringify(event.data),
    JSON.stringify(event.metadata),
    event.metadata.correlationId,
    event.tags,
    event.occurredAt ?? null,
  ]);
}
