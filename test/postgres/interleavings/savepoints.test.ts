import { expect, test } from 'vitest';
import { consumerOf, faultsOf } from '../../support/consumers.js';
import { startPoll } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

// ROLLBACK TO SAVEPOINT releases the lock that was taken since, and with it the sign that somebody appends.
//
//  writer  begin  savepoint  append 1  rollback to it  append 2                 commit
//  other                                                         append 3
//  reader                                                                  poll … … … …
test('an append after the rollback to a savepoint takes the lock again', async () => {
  const { store, database } = await useEmptyStore();
  const writer = await connect(database.directUrl);
  const consumer = consumerOf(store);
  const transaction = store.inTransaction(writer);
  await writer.query('begin; savepoint before');
  await transaction.appendToStream('Writer-1', happened);
  await writer.query('rollback to before');
  const { position } = await transaction.appendToStream('Writer-1', happened);
  await store.appendToStream('Other-1', happened);

  const poll = await startPoll(consumer, database.directUrl);
  expect(poll.isWaiting).toBe(true);
  await writer.query('commit');
  await poll.finish();

  expect(position).toBe(2);
  expect(await faultsOf(consumer, database.directUrl)).toEqual([]);
  expect(consumer.seen).toEqual([2, 3]);
});

test('a writer that remembers having taken it makes a reader lose its event', async () => {
  const { store, database } = await useEmptyStore();
  const writer = await connect(database.directUrl);
  const consumer = consumerOf(store);
  await writer.query('begin; savepoint before');
  await store.inTransaction(writer).appendToStream('Writer-1', happened);
  await writer.query('rollback to before');
  await writer.query(
    `insert into event_store.events select nextval('event_store.positions'), 'Writer-1', 1, gen_random_uuid(), 'c',
       'Writer', 'Happened', 1, '{}', '{}', null, '{}', now(), now()`,
  );
  await store.appendToStream('Other-1', happened);

  const poll = await startPoll(consumer, database.directUrl);
  await writer.query('commit');
  await poll.finish();
  await consumer.poll();

  expect(await faultsOf(consumer, database.directUrl)).toEqual(['2 is lost']);
});

test('a savepoint that is released keeps the lock to the end of the transaction', async () => {
  const { store, database } = await useEmptyStore();
  const writer = await connect(database.directUrl);
  const consumer = consumerOf(store);
  await writer.query('begin; savepoint before');
  await store.inTransaction(writer).appendToStream('Writer-1', happened);
  await writer.query('release before');
  await store.appendToStream('Other-1', happened);

  const poll = await startPoll(consumer, database.directUrl);
  expect(poll.isWaiting).toBe(true);
  await writer.query('commit');
  await poll.finish();

  expect(await faultsOf(consumer, database.directUrl)).toEqual([]);
});
