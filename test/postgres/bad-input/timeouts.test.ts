import { PostgresEventStore, type PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, query, useTcpProxy, type Database } from '../../support/postgres.js';
import { openSessions, untilBlocked } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';
import { expectTypedError } from '../../support/typed-error.js';

const happened = [{ type: 'Happened', data: {} }];

/** A database with a setting of its own, and a store on it. */
async function storeWith(setting: string, options: PostgresEventStoreOptions = {}) {
  const database = await createDatabase();
  await query(database.directUrl, `alter database "${database.name}" set ${setting}`);
  return { store: await useStore({ connectionString: database.url, ...options }), database };
}

async function useStore(options: PostgresEventStoreOptions): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect(options);
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

async function holdEvents({ directUrl }: Database): Promise<{ letGo(): Promise<unknown> }> {
  const { holder } = await openSessions(directUrl, 'holder');
  await holder.run('begin');
  await holder.run('lock table event_store.events in access exclusive mode');
  return { letGo: () => holder.run('commit') };
}

describe.each(['statement_timeout', 'lock_timeout'])('a %s of the server', (setting) => {
  test('that strikes an append and a read is a typed error, and the append is safe to repeat', async () => {
    const { store, database } = await storeWith(`${setting} = '100ms'`, {
      retryTimeout: 0,
      operationTimeout: 500,
    });
    const held = await holdEvents(database);

    await expectTypedError(store.readStream('A-1'), {
      code: 'STORE_UNAVAILABLE',
      says: /timeout.*Try again/,
    });
    const error = await expectTypedError(store.appendToStream('A-1', happened, { commitId: 'mine' }), {
      code: 'STORE_UNAVAILABLE',
      says: /(timeout|is locked).*send it again with its commit id 'mine'/,
    });
    await held.letGo();

    expect(error).toMatchObject({ commitId: 'mine' });
    expect(await countEvents(database.directUrl)).toBe(0);
    expect(await store.appendToStream('A-1', happened, { commitId: 'mine' })).toMatchObject({
      version: 1,
      deduplicated: false,
    });
    expect(await store.appendToStream('A-1', happened, { commitId: 'mine' })).toMatchObject({
      deduplicated: true,
    });
    expect(await countEvents(database.directUrl)).toBe(1);
  });

  test('that passes is nothing that the caller sees', async () => {
    const { store, database } = await storeWith(`${setting} = '100ms'`, { retryTimeout: 30_000 });
    const held = await holdEvents(database);
    const appends = [1, 2, 3].map((index) => store.appendToStream(`A-${index}`, happened));

    await untilBlocked(database.directUrl);
    const first = await lastWait(database);
    await expect.poll(() => lastWait(database), { timeout: 20_000 }).toBeGreaterThan(first);
    await held.letGo();

    expect((await Promise.all(appends)).map((result) => result.version)).toEqual([1, 1, 1]);
    expect(await countEvents(database.directUrl)).toBe(3);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });
});

test('an answer that does not come in time is a typed error, and the append is safe to repeat', async () => {
  const database = await createDatabase();
  const proxy = await useTcpProxy(database.url);
  const store = await useStore({
    connectionString: proxy.url(database.url),
    operationTimeout: 200,
    retryTimeout: 0,
  });
  // Connected, so that it is the statement that hangs.
  await store.appendToStream('A-1', happened);
  await store.readStream('A-1');
  proxy.stall();

  await expectTypedError(store.readStream('A-1'), {
    code: 'STORE_UNAVAILABLE',
    says: /no answer in 200 ms.*Try again/,
  });
  await expectTypedError(store.appendToStream('A-1', happened, { commitId: 'mine' }), {
    code: 'STORE_UNAVAILABLE',
    says: /no answer in 200 ms.*send it again with its commit id 'mine'/,
  });
  proxy.resume();

  // With the limits of the first, a slow machine is a lost server.
  const patient = await useStore({ connectionString: database.url });
  expect(await patient.appendToStream('A-1', happened, { commitId: 'mine' })).toMatchObject({ version: 2 });
  await expect.poll(() => countEvents(database.directUrl), { timeout: 10_000 }).toBe(2);
  expect(await brokenInvariants(database.directUrl)).toEqual([]);
});

/** When the last statement that waits for a lock was sent, in seconds. */
async function lastWait({ directUrl }: Database): Promise<number> {
  const [row] = await query<{ time: number | null }>(
    directUrl,
    `select date_part('epoch', max(query_start)) as time from pg_stat_activity
     where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
  );
  return row!.time ?? 0;
}
