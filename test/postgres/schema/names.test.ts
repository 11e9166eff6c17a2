import { PostgresEventStore, grantScript, migrationScript } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, createRole, query, type Database } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
});

async function useStore(schema: string): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString: database.url, schema });
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

describe('a schema name', () => {
  test.each(['a', '_', '_1', 'select', 'user', '__schema__', 'x'.repeat(63)])('may be %s', async (schema) => {
    const store = await useStore(schema);
    const role = await createRole();
    await query(database.directUrl, grantScript(schema, role.name));

    await store.appendToStream('A-1', happened);
    await store.appendToStream('A-1', [...happened, ...happened]);

    expect((await store.readAll({ filter: { types: ['Happened'] } })).events).toHaveLength(3);
    expect(await query(role.as(database.url), `select from "${schema}".events`)).toHaveLength(3);
  });

  test.each([
    ['empty', ''],
    ['longer than 63 characters', 'x'.repeat(64)],
    ['with quotes', 'a"; drop schema public cascade; --'],
    ['with an apostrophe', `a'`],
    ['with a dollar', 'a$1'],
    ['with the pattern of a replacement', '$&'],
    ['with a capital letter', 'Events'],
    ['with a digit in front', '1a'],
    ['with a dash', 'event-store'],
    ['with a dot', 'public.a'],
    ['with a space', 'a b'],
    ['with a line break at its end', 'a\n'],
    ['with a NUL character', 'a\u0000'],
    ['of Unicode', 'événements'],
    ['that looks like ASCII', 'еvent_store'],
    ['of PostgreSQL itself', 'pg_catalog'],
    ['that is no text', ['a']],
    ['that is null', null],
  ])('may not be one %s', async (_, name) => {
    const schema = name as string;
    const refused = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^A schema name is/) as string,
    };

    await expect(
      PostgresEventStore.connect({ connectionString: database.url, schema }),
    ).rejects.toMatchObject(refused);
    expect(() => migrationScript(schema)).toThrow(expect.objectContaining(refused));
    expect(() => grantScript(schema, 'app')).toThrow(expect.objectContaining(refused));
  });
});

test('stores in one database know nothing of each other', async () => {
  const stores = await Promise.all(['one', 'other'].map(useStore));
  const [one, other] = stores as [PostgresEventStore, PostgresEventStore];
  await one.appendToStream('A-1', happened, { commitId: 'c' });
  await one.snapshots.save('A-1', { name: 'm', version: 1 }, 1, {});
  await one.checkpoints.save('p', { position: 1, storeId: 's' });

  expect((await other.readStream('A-1')).version).toBe(0);
  expect(await other.findCommit('A-1', 'c')).toBe(undefined);
  expect(await other.snapshots.load('A-1', { name: 'm', version: 1 })).toBe(undefined);
  expect(await other.checkpoints.load('p')).toBe(undefined);
  expect(await other.appendToStream('A-1', happened, { commitId: 'c' })).toMatchObject({
    position: 1,
    deduplicated: false,
  });
  expect((await other.readAll()).storeId).not.toBe((await one.readAll()).storeId);
});

describe('the name of a role', () => {
  test.each([
    ['quotes', 'a"; drop schema public cascade; --'],
    ['dollars', `$&$1$$`],
    ['Unicode', 'naïve 日本'],
    ['the placeholder of the schema', '__schema__'],
    ['63 bytes', 'ü'.repeat(31) + 'x'],
  ])('may have %s', async (_, name) => {
    const store = await useStore('granted');
    await store.appendToStream('A-1', happened);
    const role = await createRole(name);
    await query(database.directUrl, grantScript('granted', role.name));

    expect(await query(role.as(database.directUrl), 'select from granted.events limit 1')).toHaveLength(1);
  });

  test.each([
    ['empty', ''],
    ['longer than 63 characters', 'x'.repeat(64)],
    ['longer than 63 bytes, where PostgreSQL cuts it', 'ü'.repeat(32)],
    ['with a NUL character', 'a\u0000'],
    ['that is no text', 7],
  ])('may not be one %s', (_, name) => {
    expect(() => grantScript('granted', name as string)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^The name of a role is/) as string,
      }),
    );
  });
});
