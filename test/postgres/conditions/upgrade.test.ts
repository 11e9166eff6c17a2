import { readFileSync } from 'node:fs';
import { migrationScript, PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { connect, createDatabase, query, type Database } from '../../support/postgres.js';
import { untilBlocked } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';
import { lastSliceOf, noneWith, tagged } from '../../support/tagged.js';

// A library without conditions appends beside this one during a deploy. It calls functions of the first migration.

const recordOfFirst = /^insert into .*'0001_event_store'.*$/m;

/** A schema as the first migration left it. */
async function useFirstSchema(): Promise<Database> {
  const database = await createDatabase();
  const text = readFileSync('src/sql/migrations/0001_event_store.sql', 'utf8');
  const script = migrationScript('event_store');
  const head = script.slice(0, script.indexOf('create table "event_store".store'));
  await query(
    database.directUrl,
    [head, text.replaceAll('__schema__', 'event_store'), recordOfFirst.exec(script)?.[0], 'commit;'].join(
      '\n',
    ),
  );
  return database;
}

async function useStore(database: Database): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString: database.url });
  onTestFinished(() => store.close());
  return store;
}

let appended = 0;

/** An append as the first version sent it. */
function appendOne(streamId: string, tags: readonly string[]): [sql: string, values: unknown[]] {
  return [
    `select event_store.append_one($1, -1, false, $2, gen_random_uuid(), 'Taken', 1, '{}', '{}', null, $3::text[], null)`,
    [streamId, `old ${++appended}`, tags],
  ];
}

function appendBatch(streamId: string, tags: readonly string[]): [sql: string, values: unknown[]] {
  return [
    `select event_store.append_batch(array[$1], array[2::bigint], null, array[1], array[-1::bigint], array[0::bigint],
       array[2::bigint], null, null, false, array[$2], array[1, 1], array[1, 1], array[-1::bigint, 0],
       array[gen_random_uuid(), gen_random_uuid()], array['Taken', 'Taken'], array[1, 1], array['{}', '{}']::json[],
       array['{}', '{}']::json[], null, array[null, $3], null)`,
    [streamId, `old ${++appended}`, `{${tags.join()}}`],
  ];
}

test('a store that is in use gets the functions, and keeps its events', async () => {
  const database = await useFirstSchema();
  await query(database.directUrl, ...appendOne('Old-1', ['x']));
  const store = await useStore(database);
  await expect(store.appendToStream('New-1', [tagged('x')])).rejects.toMatchObject({
    code: 'SCHEMA_OUTDATED',
    message: expect.stringContaining('lacks 0002_append_conditions') as string,
  });

  expect(await store.migrate()).toEqual(['0002_append_conditions']);

  expect((await lastSliceOf(store, { tags: ['x'] })).events).toHaveLength(1);
  const condition = await noneWith(store, 'x');
  await query(database.directUrl, ...appendBatch('Old-1', ['x', 'y']));
  await expect(store.appendToStream('New-1', [tagged('x')], { condition })).rejects.toMatchObject({
    conflict: { streamId: 'Old-1', position: 3 },
  });
  expect(await countEvents(database.directUrl)).toBe(3);
  expect(await brokenInvariants(database.directUrl)).toEqual([]);
});

test.each([
  ['one event', appendOne],
  ['a batch', appendBatch],
])('the first version appends %s beside conditions that see it', async (_what, append) => {
  const database = await useFirstSchema();
  const store = await useStore(database);
  await store.migrate();
  const condition = await noneWith(store, 'x');
  const old = await connect(database.directUrl);
  await old.query('begin');
  await old.query(...append('Old-1', ['w', 'x']));

  const refused = store.appendToStream('New-1', [tagged('x')], { condition });
  const other = store.appendToStream('New-2', [tagged('y')], { condition: await noneWith(store, 'y') });
  await untilBlocked(database.directUrl);
  await old.query('commit');

  await expect(refused).rejects.toMatchObject({ conflict: { streamId: 'Old-1' } });
  expect(await other).toMatchObject({ version: 1 });
});

test('migrate returns when the appends that know nothing of conditions have ended', async () => {
  const database = await useFirstSchema();
  const store = await useStore(database);
  const old = await connect(database.directUrl);
  await old.query('begin');
  await old.query(...appendOne('Old-1', ['x']));
  let isMigrated = false;
  const migrating = store.migrate().then(() => (isMigrated = true));

  // The schema is there, for all who read it.
  await expect
    .poll(async () => (await query(database.directUrl, 'select from event_store.migrations')).length)
    .toBe(2);
  expect(isMigrated).toBe(false);
  let isMigratedToo = false;
  const again = (await useStore(database)).migrate().then(() => (isMigratedToo = true));
  // Nobody waits for the migration.
  await query(database.directUrl, ...appendOne('Old-2', ['x']));
  expect(isMigratedToo).toBe(false);
  await old.query('commit');
  await Promise.all([migrating, again]);

  expect((await lastSliceOf(store, { tags: ['x'] })).events).toHaveLength(2);
});
