import { describe, expect, test } from 'vitest';
import { consumerOf, faultsOf } from '../../support/consumers.js';
import { openAppend, startPoll } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, query } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

describe('reading in a transaction that appends', () => {
  test('gives its own events, and does not wait for itself', async () => {
    const { store, database } = await useEmptyStore();
    const client = await connect(database.directUrl);
    await client.query('begin');
    const transaction = store.inTransaction(client);
    // A gap before its own event makes it look for appends that are under way.
    await (await openAppend(store, database.directUrl, 'Gone-1')).rollback();
    await transaction.appendToStream('Own-1', happened);

    const positions = async (options: object) =>
      (await transaction.readAll(options)).events.map((event) => event.position);

    expect(await positions({})).toEqual([2]);
    expect(await positions({ filter: { types: ['Happened'] } })).toEqual([2]);
    expect((await transaction.readStream('Own-1')).version).toBe(1);
    expect(await query(database.directUrl, 'select from event_store.events')).toHaveLength(0);
  });

  //  other   append 1                          commit
  //  own              append 2
  //  reader                     poll in own … … … … …
  test('waits for the others', async () => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    const other = await openAppend(store, directUrl, 'Other-1');
    const client = await connect(directUrl);
    await client.query('begin');
    const transaction = store.inTransaction(client);
    await transaction.appendToStream('Own-1', happened);
    const consumer = consumerOf(transaction);
    // The control: a cursor of positions would be past 1 now.
    const { rows } = await client.query('select position from event_store.events');
    expect(rows).toEqual([{ position: '2' }]);

    const poll = await startPoll(consumer, directUrl);
    expect(poll.isWaiting).toBe(true);
    await other.commit();
    await poll.finish();
    await client.query('commit');

    expect(await faultsOf(consumer, directUrl)).toEqual([]);
    expect(consumer.seen).toEqual([1, 2]);
  });

  test.each(['repeatable read', 'serializable'])('is refused at %s, as is appending', async (isolation) => {
    const { store, database } = await useEmptyStore();
    const client = await connect(database.directUrl);
    const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(isolation) as string };
    await client.query(`begin isolation level ${isolation}`);
    const transaction = store.inTransaction(client);

    await expect(transaction.readAll()).rejects.toMatchObject(refused);
    await expect(transaction.appendToStream('Own-1', happened)).rejects.toMatchObject(refused);
    await client.query('commit');

    expect(await query(database.directUrl, 'select from event_store.events')).toHaveLength(0);
  });
});

describe('a transaction that is left open', () => {
  test('is ended by PostgreSQL after 30 s of idleness, unless its owner has said when', async () => {
    const { store, database } = await useEmptyStore();
    const client = await connect(database.directUrl);
    const timeout = async () =>
      (
        await client.query<{ is: string }>(
          `select current_setting('idle_in_transaction_session_timeout') as is`,
        )
      ).rows[0]!.is;
    const timeoutInTransaction = async () => {
      await client.query('begin');
      await store.inTransaction(client).appendToStream('Slow-1', happened);
      const seen = await timeout();
      await client.query('rollback');
      return seen;
    };

    expect(await timeoutInTransaction()).toBe('30s');
    expect(await timeout()).toBe('0');
    await client.query(`set idle_in_transaction_session_timeout = '7s'`);
    expect(await timeoutInTransaction()).toBe('7s');
  });

  test('holds up readers no longer than that', async () => {
    const { store, database } = await useEmptyStore();
    const client = await connect(database.directUrl);
    await client.query(`set idle_in_transaction_session_timeout = '100ms'`);
    await client.query('begin');
    await store.inTransaction(client).appendToStream('Slow-1', happened);
    await store.appendToStream('Fast-1', happened);
    const consumer = consumerOf(store);

    await consumer.poll();

    expect(consumer.seen).toEqual([2]);
    expect(await faultsOf(consumer, database.directUrl)).toEqual([]);
    await expect(client.query('commit')).rejects.toThrow();
  });
});
