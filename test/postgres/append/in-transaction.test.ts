import { AggregateRepository, defineEvents, withEvents } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { describe, expect, test } from 'vitest';
import { Group, trimmed } from '../../support/group.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, query } from '../../support/postgres.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';

const opened = [{ type: 'Opened', data: {} }];

/** A business table beside the events, and a transaction of its own. */
async function begun() {
  const { store, database } = await useEmptyStore();
  await query(database.directUrl, 'create table event_store.accounts (id text primary key)');
  const client = await connect(database.url);
  await client.query('begin');
  return {
    store,
    client,
    transaction: store.inTransaction(client),
    stored: async () => ({
      accounts: (await query(database.directUrl, 'select from event_store.accounts')).length,
      events: await countEvents(database.directUrl),
      broken: await brokenInvariants(database.directUrl),
    }),
  };
}

const insertAccount = `insert into event_store.accounts values ('1')`;

describe('a business table and its event', () => {
  test('are committed together', async () => {
    const { client, transaction, stored } = await begun();
    await client.query(insertAccount);
    await transaction.appendToStream('Account-1', opened, { expectedVersion: 'noStream' });

    expect(await stored()).toEqual({ accounts: 0, events: 0, broken: [] });
    await client.query('commit');
    expect(await stored()).toEqual({ accounts: 1, events: 1, broken: [] });
  });

  test('may be appended side by side, and read meanwhile: the client gets one statement at a time', async () => {
    const { client, transaction, stored } = await begun();
    const send = client.query.bind(client) as (statement: string) => Promise<unknown>;
    let isBusy = false;
    client.query = ((statement: string) => {
      // By this, `pg` knows that one runs.
      isBusy ||= !(client as unknown as { readyForQuery: boolean }).readyForQuery;
      return send(statement);
    }) as never;
    await Promise.all([
      ...['1', '2', '3'].map((id) => transaction.appendToStream(`Account-${id}`, opened)),
      transaction.readStream('Account-1'),
      transaction.readAll(),
    ]);
    await client.query('commit');

    expect(isBusy).toBe(false);
    expect(await stored()).toMatchObject({ events: 3, broken: [] });
  });

  test('are committed together when schemas change the event, and its aggregate applies what is stored', async () => {
    const { client, transaction, stored } = await begun();
    const groups = new AggregateRepository(withEvents(transaction, trimmed), Group);
    const group = await groups.load('1');
    group.join(' ann ');
    await groups.save(group);
    await client.query(insertAccount);
    await client.query('commit');

    expect(await stored()).toEqual({ accounts: 1, events: 1, broken: [] });
    expect(group.emails).toEqual(['ann']);
    expect((await groups.load('1')).emails).toEqual(['ann']);
  });

  test('are committed together by a store with schemas, which reads them there as everywhere', async () => {
    const { store, client, stored } = await begun();
    const currency = { schemaVersion: 2, upcast: { 1: () => ({ currency: 'USD' }) } };
    const decorated = withEvents(cachingEventStore(store), defineEvents({ Opened: currency }));
    await store.appendToStream('Account-1', opened);
    const transaction = decorated.inTransaction(client);
    await client.query(insertAccount);
    await transaction.appendToStream('Account-1', [{ type: 'Opened', data: { currency: 'CHF' } }]);
    // @ts-expect-error -- a type that it doesn't know
    await expect(transaction.appendToStream('Account-1', [{ type: 'Open', data: {} }])).rejects.toThrow(
      `'Open'`,
    );
    const currencies = (await transaction.readStream('Account-1')).events.map(({ data }) => data);
    expect(currencies).toEqual([{ currency: 'USD' }, { currency: 'CHF' }]);
    await client.query('rollback');

    expect(await stored()).toEqual({ accounts: 0, events: 1, broken: [] });
    expect((await decorated.readStream('Account-1')).events).toHaveLength(1);
    expect(await decorated.migrate()).toEqual([]);
    await decorated.close();
    await expect(store.readStream('Account-1')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  test('are rolled back together, and then nothing is left of either', async () => {
    const { store, client, transaction, stored } = await begun();
    await client.query(insertAccount);
    await transaction.appendToStream('Account-1', opened, { commitId: 'c' });
    await client.query('rollback');

    expect(await stored()).toEqual({ accounts: 0, events: 0, broken: [] });
    expect(await store.findCommit('Account-1', 'c')).toBe(undefined);
    expect(await store.appendToStream('Account-1', opened, { commitId: 'c' })).toMatchObject({
      version: 1,
      deduplicated: false,
    });
  });

  test('are committed once when the commit is stored already, whatever version is expected', async () => {
    const { store, client, transaction, stored } = await begun();
    await store.appendToStream('Account-1', opened, { commitId: 'c' });
    await client.query(insertAccount);
    const again = await transaction.appendToStream('Account-1', opened, {
      commitId: 'c',
      expectedVersion: 1,
    });
    await client.query('commit');

    expect(again).toMatchObject({ version: 1, deduplicated: true });
    expect(await stored()).toEqual({ accounts: 1, events: 1, broken: [] });
  });

  test('can both be taken back to a savepoint', async () => {
    const { client, transaction, stored } = await begun();
    await transaction.appendToStream('Account-1', opened);
    await client.query('savepoint before');
    await client.query(insertAccount);
    await transaction.appendToStream('Account-1', opened);
    await client.query('rollback to before');
    await transaction.appendToStream('Account-2', opened);
    await client.query('commit');

    expect(await stored()).toEqual({ accounts: 0, events: 2, broken: [] });
  });
});

describe('an append in a transaction', () => {
  test('that conflicts changes nothing, and leaves the transaction usable', async () => {
    const { client, transaction, stored } = await begun();
    await client.query(insertAccount);
    const conflict = { code: 'VERSION_CONFLICT', actualVersion: 0 };
    await expect(
      transaction.appendToStream('Account-1', opened, { expectedVersion: 7 }),
    ).rejects.toMatchObject(conflict);
    await expect(
      transaction.appendToStream('Account-1', [...opened, ...opened], { expectedVersion: 7 }),
    ).rejects.toMatchObject(conflict);
    await transaction.appendToStream('Account-1', opened, { expectedVersion: 'noStream' });
    await client.query('commit');

    expect(await stored()).toEqual({ accounts: 1, events: 1, broken: [] });
  });

  test('is exactly once, too', async () => {
    const { store, client, transaction, stored } = await begun();
    const first = await store.appendToStream('Account-1', opened, { commitId: 'c' });
    const own = await transaction.appendToStream('Account-1', opened, { commitId: 'd' });

    expect(await transaction.appendToStream('Account-1', opened, { commitId: 'c' })).toEqual({
      ...first,
      deduplicated: true,
    });
    expect(await transaction.appendToStream('Account-1', opened, { commitId: 'd' })).toEqual({
      ...own,
      deduplicated: true,
    });
    const other = transaction.appendToStream('Account-1', [{ type: 'Closed', data: {} }], { commitId: 'c' });
    await expect(other).rejects.toMatchObject({ code: 'COMMIT_MISMATCH' });
    await client.query('commit');
    expect(await stored()).toEqual({ accounts: 0, events: 2, broken: [] });
  });

  test('sees the state of the store, and its own appends before they are committed', async () => {
    const { store, client, transaction } = await begun();
    await transaction.appendToStream('Account-1', opened);

    expect((await transaction.readStream('Account-1')).version).toBe(1);
    expect((await store.readStream('Account-1')).version).toBe(0);
    await client.query('commit');
    expect((await store.readStream('Account-1')).version).toBe(1);
  });

  test('of a transaction that has failed is refused with a typed error', async () => {
    const { client, transaction, stored } = await begun();
    await expect(client.query('nonsense')).rejects.toThrow();

    await expect(transaction.appendToStream('Account-1', opened)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('25P02') as string,
    });
    await client.query('rollback');
    expect(await stored()).toEqual({ accounts: 0, events: 0, broken: [] });
  });
});
