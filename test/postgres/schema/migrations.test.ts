import {
  PostgresEventStore,
  migrationScript,
  type PostgresEventStoreOptions,
} from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { catalogOf } from '../../support/catalog.js';
import { createDatabase, query, type Database } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];
const all = ['0001_event_store', '0002_append_conditions'];

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
});

/** A store on a schema that isn't there. */
async function unmigrated(
  schema: string,
  options: PostgresEventStoreOptions = {},
): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString: database.url, schema, ...options });
  onTestFinished(() => store.close());
  return store;
}

const outdated = (message: string) => ({
  code: 'SCHEMA_OUTDATED',
  message: expect.stringContaining(message) as string,
});

describe('migrate', () => {
  test('can be called by eight stores at the same time: one of them does it', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => unmigrated('eight')));

    const applied = await Promise.all(stores.map((store) => store.migrate()));

    expect(applied.flat()).toEqual(all);
    for (const store of stores) await store.appendToStream('A-1', happened);
    expect((await stores[0]!.readStream('A-1')).version).toBe(8);
  });

  test('changes nothing when there is nothing to do', async () => {
    const store = await unmigrated('again');
    expect(await store.migrate()).toEqual(all);
    await store.appendToStream('A-1', happened);
    const before = await catalogOf(database.directUrl, 'again');

    expect(await store.migrate()).toEqual([]);

    expect(await catalogOf(database.directUrl, 'again')).toEqual(before);
    expect((await store.readAll()).events).toHaveLength(1);
  });

  test('does all or nothing', async () => {
    await query(database.directUrl, 'create schema halfway; create domain halfway.snapshots as int');
    const before = await catalogOf(database.directUrl, 'halfway');
    const store = await unmigrated('halfway');

    await expect(store.migrate()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('type "snapshots" already exists') as string,
    });

    expect(await catalogOf(database.directUrl, 'halfway')).toEqual(before);
  });

  test('makes the schema that its script makes, and knows it', async () => {
    await query(database.directUrl, migrationScript('by_script'));
    await (await unmigrated('by_call')).migrate();
    const ofScript = await catalogOf(database.directUrl, 'by_script');

    expect(await (await unmigrated('by_script')).migrate()).toEqual([]);
    expect(ofScript).toEqual(await catalogOf(database.directUrl, 'by_call'));
    expect(ofScript.length).toBeGreaterThan(50);
    // The comparison would notice a difference.
    await query(database.directUrl, 'alter table by_script.events alter column tags drop not null');
    expect(await catalogOf(database.directUrl, 'by_script')).not.toEqual(ofScript);
  });
});

/** Each with what makes the schema so. */
const unusable: Readonly<Record<string, { readonly change?: (schema: string) => string; says: string }>> = {
  missing: { says: 'Run migrate()' },
  older: {
    change: (schema) => `delete from ${schema}.migrations`,
    says: `lacks 0001_event_store, 0002_append_conditions. Run migrate()`,
  },
  'of an edited migration': {
    change: (schema) => `update ${schema}.migrations set checksum = 'edited'`,
    says: `The migration 0001_event_store of schema "of_an_edited_migration" was changed: its checksum is edited`,
  },
};

describe.each(Object.entries(unusable))('a schema that is %s', (name, { change, says }) => {
  const schema = name.replaceAll(' ', '_');

  test('is told by every call', async () => {
    if (change !== undefined) {
      await (await unmigrated(schema)).migrate();
      await query(database.directUrl, change(schema));
    }
    const store = await unmigrated(schema);

    for (const call of [
      () => store.appendToStream('A-1', happened),
      () => store.appendCommits('A-1', [{ commitId: 'c', events: happened }]),
      () => store.readStream('A-1'),
      () => store.readAll(),
      () => store.findCommit('A-1', 'c'),
      () => store.statistics(),
      () => store.trends({ interval: 'day' }),
      () => store.snapshots.load('A-1', { name: 'm', version: 1 }),
      () => store.checkpoints.load('p'),
    ]) {
      await expect(call()).rejects.toMatchObject(outdated(says));
    }
  });
});

describe('a store', () => {
  test('that has met no schema works once there is one', async () => {
    const store = await unmigrated('late');
    await expect(store.appendToStream('A-1', happened)).rejects.toMatchObject(outdated('migrate()'));

    await (await unmigrated('late')).migrate();

    await store.appendToStream('A-1', happened);
    expect((await store.readAll()).events).toHaveLength(1);
  });

  test('refuses to migrate what was edited', async () => {
    await (await unmigrated('edited')).migrate();
    await query(database.directUrl, `update edited.migrations set checksum = 'edited'`);

    await expect((await unmigrated('edited')).migrate()).rejects.toMatchObject(
      outdated('restore it, or use another schema'),
    );
  });

  // As in a rolling deployment, whose first process has migrated.
  test('goes on with a schema that a newer version has added to', async () => {
    const store = await unmigrated('newer');
    await store.migrate();
    await query(
      database.directUrl,
      `insert into newer.migrations values ('9999_of_the_future', 'x'); alter table newer.checkpoints add owner text`,
    );
    const older = await unmigrated('newer');

    await older.appendToStream('A-1', happened);
    await older.checkpoints.save('p', { position: 1, storeId: 's' });
    expect((await older.readAll()).events).toHaveLength(1);
    expect(await older.migrate()).toEqual([]);
  });

  test('needs a database in UTF8', async () => {
    await query(
      database.directUrl,
      `create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'`,
    );
    onTestFinished(async () => {
      await query(database.directUrl, 'drop database latin with (force)');
    });
    const url = new URL(database.directUrl);
    url.pathname = '/latin';
    const store = await unmigrated('event_store', { connectionString: url.href });
    await store.migrate();

    await expect(store.appendToStream('A-1', happened)).rejects.toMatchObject(
      outdated('The encoding of the database is LATIN1; create one with UTF8'),
    );
  });

  test('warns once when a crash could lose what was confirmed', async () => {
    const { name, directUrl } = database;
    await query(directUrl, `alter database ${name} set synchronous_commit = off`);
    onTestFinished(async () => {
      await query(directUrl, `alter database ${name} reset synchronous_commit`);
    });
    const warnings: string[] = [];
    const store = await unmigrated('unsafe', {
      connectionString: directUrl,
      onWarning: (warning) => warnings.push(warning),
    });
    await store.migrate();
    await store.readAll();
    await store.readAll();

    expect(warnings).toEqual([expect.stringContaining('synchronous_commit is off')]);
  });
});
