import { readFileSync } from 'node:fs';
import pg from 'pg';
import { PostgresEventStore, PostgresProjectionSink } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, createDatabase, createRole, query } from '../../support/postgres.js';

const guide = readFileSync(new URL('../../../docs/guide/tables.md', import.meta.url), 'utf8');
const statements = [...guide.matchAll(/^```sql( no-rows)?\n(.*?)^```$/gms)].map(
  ([, isSilent, statement = '']) => ({ statement, givesRows: isSilent === undefined }),
);

/** What the guide says: the columns of each table with their types, and the sequences. */
function documented() {
  const sections = guide.split(/^### /m).slice(1);
  const tables = sections.flatMap((section) => {
    const [, table] = /^Table (\w+)/.exec(section) ?? [];
    const columns = [...section.matchAll(/^\| `(\w+)` +\| `([\w[\]]+)` +\|/gm)];
    return table === undefined ? [] : columns.map(([, column, type]) => `${table}.${column} ${type}`);
  });
  const sequences = sections.flatMap((section) => /^Sequence (\w+)/.exec(section)?.[1] ?? []);
  return { tables: tables.sort(), sequences: sequences.sort() };
}

/** A store with a few events, and a sink in which one of them is parked. */
async function useTables() {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 3 });
  onTestFinished(() => pool.end());
  const store = await PostgresEventStore.connect({ pool });
  await store.migrate();
  await store.appendToStream('Account-7', [{ type: 'Opened', data: {}, tags: ['branch:12'] }], {
    metadata: { correlationId: 'case-1' },
  });
  const { events, storeId, position } = await store.readAll();
  await store.checkpoints.save('mailer', { storeId, position });

  const sink = new PostgresProjectionSink({ pool });
  const [live] = await sink.open({ name: 'balances', version: 1, shards: 1 }, undefined);
  const shard = { name: 'balances', build: live?.build ?? 0, shard: 0 };
  const { token } = await sink.acquire(shard);
  const progress = { checkpoint: { storeId, position }, applied: 0, rate: 0 };
  await sink.commit(shard, token, progress, async (transaction) => {
    for (const event of events) await transaction.park({ event, error: 'no', attempts: 5 });
  });
  return database;
}

describe('the reference of the tables', () => {
  it('lists every table, column and sequence, and nothing else', async () => {
    const { directUrl } = await useTables();
    const columns = await query<{ column: string }>(
      directUrl,
      `select c.relname || '.' || a.attname || ' ' ||
          replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz') as column
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        join information_schema.columns i
          on i.table_schema = c.relnamespace::regnamespace::text and i.table_name = c.relname and i.column_name = a.attname
        where i.table_schema in ('event_store', 'event_store_projections')`,
    );
    const sequences = await query<{ name: string }>(
      directUrl,
      `select sequence_name as name from information_schema.sequences
        where sequence_schema in ('event_store', 'event_store_projections')`,
    );
    expect(documented()).toEqual({
      tables: columns.map(({ column }) => column).sort(),
      sequences: sequences.map(({ name }) => name).sort(),
    });
  });

  it('has queries that a role with its grants can run, and that find what is there', async () => {
    const { directUrl } = await useTables();
    const role = await createRole();
    for (const { statement } of statements.filter(({ givesRows }) => !givesRows)) {
      await query(directUrl, statement.replaceAll('analyst', `"${role.name}"`));
    }
    const reader = await connect(role.as(directUrl));
    const selects = statements.filter(({ givesRows }) => givesRows);
    expect(selects.length).toBeGreaterThan(5);
    for (const { statement } of selects) {
      expect({ statement, rows: (await reader.query(statement)).rows }).toEqual({
        statement,
        rows: expect.arrayContaining([expect.anything()]) as unknown[],
      });
    }
  });

  it('is right that nobody changes an event by SQL', async () => {
    const { directUrl } = await useTables();
    for (const statement of [
      'update event_store.events set data = $$1$$',
      'delete from event_store.events',
    ]) {
      await expect(query(directUrl, statement)).rejects.toThrow('append-only');
    }
  });
});
