import { subscribe } from 'temporal-event-store';
import { PostgresEventStore, grantScript, migrationScript } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { useEmptyStore } from '../../support/postgres-store.js';
import {
  connect,
  createDatabase,
  createRole,
  query,
  type Database,
  type Role,
} from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];
const denied = { code: 'STORE_ACCESS_DENIED' };

let database: Database;
let migrator: Role;
let application: Role;
let stranger: Role;
beforeAll(async () => {
  database = await createDatabase();
  [migrator, application, stranger] = await Promise.all([createRole(), createRole(), createRole()]);
  await query(database.directUrl, `grant create on database "${database.name}" to "${migrator.name}"`);
  const store = await storeAs(migrator);
  expect(await store.migrate()).toHaveLength(2);
  await store.close();
  await query(migrator.as(database.directUrl), grantScript('event_store', application.name));
});

async function storeAs(role: Role, schema = 'event_store'): Promise<PostgresEventStore> {
  return PostgresEventStore.connect({ connectionString: role.as(database.url), schema });
}

async function useStoreAs(role: Role, schema?: string): Promise<PostgresEventStore> {
  const store = await storeAs(role, schema);
  onTestFinished(() => store.close());
  return store;
}

describe("the application's role", () => {
  test('can do all that a store does', async () => {
    const store = await useStoreAs(application);
    const model = { name: 'm', version: 1 };
    await store.appendToStream('App-1', happened, { expectedVersion: 'noStream' });
    await store.appendToStream('App-1', [...happened, ...happened], { commitId: 'c' });
    await store.appendCommits('App-1', [{ commitId: 'd', events: happened }]);
    // Undoes what it has done to its stream.
    await expect(store.appendToStream('App-2', happened, { expectedVersion: 7 })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });

    expect((await store.readStream('App-1')).version).toBe(4);
    expect((await store.readAll()).events).toHaveLength(4);
    expect((await store.readAll({ filter: { types: ['Happened'] } })).events).toHaveLength(4);
    expect(await store.findCommit('App-1', 'c')).toMatchObject({ version: 3 });
    expect(await store.statistics()).toMatchObject({ total: 4 });
    expect(await store.trends({ interval: 'day' })).toHaveLength(1);
    const next = await subscribe(store).next();
    expect(next.value).toMatchObject({ position: 1 });
    await store.snapshots.save('App-1', model, 1, { a: 1 });
    await store.snapshots.save('App-1', model, 2, { a: 2 });
    expect(await store.snapshots.load('App-1', model)).toMatchObject({ version: 2 });
    await store.snapshots.delete('App-1', model);
    await store.checkpoints.save('p', { position: 1, storeId: 's' });
    await store.checkpoints.save('p', { position: 2, storeId: 's' });
    expect(await store.checkpoints.load('p')).toMatchObject({ position: 2 });
    await store.checkpoints.delete('p');

    const client = await connect(application.as(database.url));
    await client.query('begin');
    await store.inTransaction(client).appendToStream('App-3', happened);
    await client.query('commit');
    expect((await store.readStream('App-3')).version).toBe(1);
  });

  test.each([
    'update event_store.events set version = 9',
    'delete from event_store.events',
    'truncate event_store.events',
    'truncate event_store.streams',
    'alter table event_store.events disable trigger all',
    'drop trigger events_are_append_only on event_store.events',
    'drop table event_store.events',
    'create table event_store.mine ()',
    'create or replace function event_store.refuse_change() returns trigger language plpgsql as $$ begin end $$',
    'update event_store.store set store_id = gen_random_uuid()',
    'delete from event_store.store',
    `insert into event_store.migrations values ('x', 'x')`,
    'delete from event_store.migrations',
    `select setval('event_store.positions', 1)`,
    'alter sequence event_store.positions restart',
    'drop schema event_store cascade',
    'set session_replication_role = replica',
  ])('can not %s', async (sql) => {
    await expect(query(application.as(database.directUrl), sql)).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('can neither migrate nor rotate the store id', async () => {
    const store = await useStoreAs(application);

    await expect(store.migrate()).rejects.toMatchObject(denied);
    await expect(store.rotateStoreId()).rejects.toMatchObject(denied);
  });
});

describe('a role without rights', () => {
  test('is told so by every call, with what to do', async () => {
    const store = await useStoreAs(stranger);

    for (const call of [
      () => store.appendToStream('A-1', happened),
      () => store.appendToStream('A-1', [...happened, ...happened]),
      () => store.readStream('A-1'),
      () => store.readAll(),
      () => store.findCommit('A-1', 'c'),
      () => store.statistics(),
      () => store.snapshots.load('A-1', { name: 'm', version: 1 }),
      () => store.checkpoints.load('p'),
      () => store.migrate(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        ...denied,
        message: expect.stringMatching(/permission denied.*Check the credentials and the grants/) as string,
      });
    }
  });

  test('can not create a schema either', async () => {
    const store = await useStoreAs(stranger, 'of_a_stranger');

    await expect(store.migrate()).rejects.toMatchObject(denied);
  });

  test('that gets the grants while a store is open can use it', async () => {
    const store = await useStoreAs(stranger);
    await expect(store.readAll()).rejects.toMatchObject(denied);

    await query(migrator.as(database.directUrl), grantScript('event_store', stranger.name));

    await store.appendToStream('Stranger-1', happened);
    expect((await store.readStream('Stranger-1')).version).toBe(1);
  });
});

describe("the migrator's role", () => {
  test('can run the script with a tool of its own, in a schema that is made for it', async () => {
    await query(database.directUrl, `create schema prepared authorization "${migrator.name}"`);
    await query(migrator.as(database.directUrl), migrationScript('prepared'));
    await query(migrator.as(database.directUrl), grantScript('prepared', application.name));

    const store = await useStoreAs(application, 'prepared');
    await store.appendToStream('A-1', happened);

    expect(await (await useStoreAs(migrator, 'prepared')).migrate()).toEqual([]);
    expect((await store.readAll()).events).toHaveLength(1);
  });
});

describe('events', () => {
  test.each([
    ['UPDATE', 'update event_store.events set data = data where false'],
    ['DELETE', 'delete from event_store.events'],
    ['TRUNCATE', 'truncate event_store.events cascade'],
  ])('refuse an %s even of a superuser', async (operation, sql) => {
    const { store, database: own } = await useEmptyStore();
    await store.appendToStream('A-1', happened);

    await expect(query(own.directUrl, sql)).rejects.toMatchObject({
      code: '42501',
      message: `Events are append-only: ${operation} is refused.`,
    });
    expect((await store.readAll()).events).toHaveLength(1);
  });
});
