import { iterateAll, subscribe } from 'temporal-event-store';
import { beforeAll, describe, expect, test } from 'vitest';
import { consumerOf, faultsOf, positionCursor } from '../../support/consumers.js';
import { dumpAndRestore } from '../../support/dump.js';
import { openAppend, startPoll } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { createDatabase, query, type Database } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];
const ahead = { code: 'POSITION_AHEAD_OF_STORE', position: 5, lastPosition: 3 };

let backup: Database;
beforeAll(async () => {
  backup = await createDatabase();
});

/** A store of 3 events with a backup, that then went on to 5. */
async function backedUp() {
  const { store, database } = await useEmptyStore();
  const { directUrl } = database;
  await query(backup.directUrl, 'drop schema if exists event_store cascade');
  for (let index = 1; index <= 3; index++) await store.appendToStream('A-1', happened);
  await dumpAndRestore(directUrl, backup.directUrl);
  for (let index = 4; index <= 5; index++) await store.appendToStream('A-1', happened);
  return {
    store,
    directUrl,
    async restore() {
      await query(directUrl, 'drop schema event_store cascade');
      await dumpAndRestore(backup.directUrl, directUrl);
    },
  };
}

describe('a backup that is older than what a reader has seen', () => {
  test('is told to the reader, who would else wait for ever or miss what comes', async () => {
    const { store, restore } = await backedUp();
    const { position } = await store.readAll();
    await restore();

    expect(position).toBe(5);
    await expect(store.readAll({ after: position })).rejects.toMatchObject(ahead);
    const filter = { types: ['Happened'] };
    await expect(store.readAll({ after: position, filter })).rejects.toMatchObject(ahead);
    await expect(store.readAll({ after: position, direction: 'backward' })).rejects.toMatchObject(ahead);
    await expect(iterateAll(store, { after: position }).next()).rejects.toMatchObject(ahead);
    await expect(subscribe(store, { after: position }).next()).rejects.toMatchObject(ahead);
  });

  test('ends a subscription that is running', async () => {
    const { store, restore } = await backedUp();
    const subscription = subscribe(store, { after: 4, pollInterval: 10 });
    expect((await subscription.next()).value).toMatchObject({ position: 5 });
    await restore();

    await expect(subscription.next()).rejects.toMatchObject(ahead);
  });

  test('makes positions that are issued again lost for one who goes by them alone: the control', async () => {
    const { store, directUrl, restore } = await backedUp();
    const naive = positionCursor(directUrl);
    await naive.poll();
    await restore();
    await store.appendToStream('B-1', [...happened, ...happened, ...happened]);
    await naive.poll();

    const [first] = await query<{ stream_id: string }>(
      directUrl,
      'select stream_id from event_store.events where position = 4',
    );
    expect(first).toEqual({ stream_id: 'B-1' });
    // 4 and 5 are events that it has never seen.
    expect(naive.seen).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('rotating the id of the store', () => {
  test('tells a reader that is not ahead that its position is of another store', async () => {
    const { store, restore } = await backedUp();
    const subscription = subscribe(store, { after: 4, pollInterval: 10 });
    await subscription.next();
    const before = await store.readAll();
    await restore();
    await store.appendToStream('B-1', [...happened, ...happened, ...happened]);
    const rotated = await store.rotateStoreId();
    const after = await store.readAll({ after: before.position });

    expect(after.storeId).toBe(rotated);
    expect(after.storeId).not.toBe(before.storeId);
    await expect(subscription.next()).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
      message: expect.stringContaining(`was replaced by ${rotated}`) as string,
    });
  });

  test('makes checkpoints invalid, and lets them be saved again further back', async () => {
    const { store } = await backedUp();
    const { storeId } = await store.readAll();
    await store.checkpoints.save('p', { position: 5, storeId });
    const rotated = await store.rotateStoreId();

    expect((await store.checkpoints.load('p'))?.storeId).not.toBe(rotated);
    await store.checkpoints.save('p', { position: 1, storeId: rotated });
    expect(await store.checkpoints.load('p')).toEqual({ position: 1, storeId: rotated });
  });

  test('changes nothing of the events', async () => {
    const { store } = await backedUp();
    const { events } = await store.readAll();
    await store.rotateStoreId();

    expect((await store.readAll()).events).toEqual(events);
    expect(await store.appendToStream('A-1', happened, { expectedVersion: 5 })).toMatchObject({
      position: 6,
    });
  });
});

// What a store knows to be settled ends with the events that it knew it of.
//
//  store   has seen all up to 5 as settled   restored to 3
//  slow                                                     append 4               commit
//  fast                                                               append 5
//  reader                                                                       poll … …
test.each([
  ['everything', {}],
  ['a filter', { filter: { types: ['Happened'] } }],
])('a reader of %s forgets what was settled before the restore', async (_, options) => {
  const { store, directUrl, restore } = await backedUp();
  expect((await store.readAll(options)).position).toBe(5);
  await restore();
  const slow = await openAppend(store, directUrl, 'Slow-1');
  await store.appendToStream('Fast-1', happened);
  const consumer = consumerOf(store, options);
  const naive = positionCursor(directUrl);

  await naive.poll();
  const poll = await startPoll(consumer, directUrl);
  expect(poll.isWaiting).toBe(true);
  await slow.commit();
  await poll.finish();
  await naive.poll();

  expect(slow.position).toBe(4);
  expect(await faultsOf(consumer, directUrl)).toEqual([]);
  expect(consumer.seen).toEqual([1, 2, 3, 4, 5]);
  expect(await faultsOf(naive, directUrl)).toEqual(['4 is lost']);
});
