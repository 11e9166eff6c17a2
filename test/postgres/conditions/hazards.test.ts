import { settledPosition } from 'temporal-event-store';
import { describe, expect, test } from 'vitest';
import { openAppend } from '../../support/open-append.js';
import { useEmptyStore, usePostgresStore } from '../../support/postgres-store.js';
import { connect, createDatabase, query } from '../../support/postgres.js';
import { openSessions, untilBlocked } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';
import { lastSliceOf, noneWith, tagged } from '../../support/tagged.js';
import { expectTypedError } from '../../support/typed-error.js';

const happened = [{ type: 'Happened', data: {} }];
const lockTags = 'select event_store.lock_tags($1, $2, $3)';

describe('a condition after a position that is not settled', () => {
  // An append with a smaller position commits later: the highest position that shows hides it.
  test('misses the event behind it, which the types keep from being written', async () => {
    const { store, database } = await useEmptyStore();
    const open = await openAppend(store, database.directUrl, 'Writer-1', tagged('x'));
    const { position } = await store.appendToStream('Other-1', [tagged('y')]);
    const { storeId } = await store.readAll({ direction: 'backward' });

    const append = store.appendToStream('Taken-1', [tagged('x')], {
      condition: { filter: { tags: ['x'] }, after: settledPosition(position, storeId) },
    });
    await open.commit();

    // Both have it.
    expect(await append).toMatchObject({ version: 1 });
    expect((await store.readAll({ filter: { tags: ['x'] } })).events).toHaveLength(2);
  });

  test('is not what a read without a filter gives that begins there, and goes on', async () => {
    const { store, database } = await useEmptyStore();
    const open = await openAppend(store, database.directUrl, 'Writer-1', tagged('x'));
    const { position } = await store.appendToStream('Other-1', [tagged('y')]);

    const unsettled = await store.readAll({ after: position });
    expect(unsettled).toMatchObject({ events: [], isEnd: true });
    expect(unsettled).not.toHaveProperty('settled');
    await expectTypedError(
      store.appendToStream('Taken-1', [tagged('x')], { condition: { filter: {}, after: unsettled } }),
      { code: 'INVALID_ARGUMENT', says: /while an append was under way.*with the filter of the condition/ },
    );

    await open.commit();
    expect(await store.readAll({ after: position })).toMatchObject({ settled: { position } });
  });

  test('is not what a read gives: it waits for that append', async () => {
    const { store, database } = await useEmptyStore();
    const open = await openAppend(store, database.directUrl, 'Writer-1', tagged('x'));
    await store.appendToStream('Other-1', [tagged('y')]);

    const reading = lastSliceOf(store, { tags: ['x'] });
    await open.commit();

    expect((await reading).events).toHaveLength(1);
  });
});

describe('an append that is under way', () => {
  test('with a tag is waited for by a condition on the tag, and is in its way', async () => {
    const { store, database } = await useEmptyStore();
    const condition = await noneWith(store, 'x');
    const open = await openAppend(store, database.directUrl, 'Writer-1', tagged('w', 'x'));

    const append = store.appendToStream('Taken-1', [tagged('x')], { condition });
    await untilBlocked(database.directUrl);
    await open.commit();

    await expect(append).rejects.toMatchObject({
      code: 'APPEND_CONDITION_FAILED',
      conflict: { streamId: 'Writer-1', position: 1 },
    });
  });

  test('of many tags, such as an import, is waited for, too', async () => {
    const { store, database } = await useEmptyStore();
    const condition = await noneWith(store, 'tag 7');
    const many = Array.from({ length: 500 }, (_, index) => `tag ${index}`);
    const open = await openAppend(store, database.directUrl, 'Import-1', tagged(...many));

    const append = store.appendToStream('Taken-1', [tagged('tag 7')], { condition });
    await untilBlocked(database.directUrl);
    await open.commit();

    await expect(append).rejects.toMatchObject({ conflict: { streamId: 'Import-1' } });
  });

  test('without tags is waited for by a condition on everything', async () => {
    const { store, database } = await useEmptyStore();
    const after = await lastSliceOf(store);
    const open = await openAppend(store, database.directUrl, 'Writer-1');

    const append = store.appendToStream('Taken-1', happened, { condition: { filter: {}, after } });
    await untilBlocked(database.directUrl);
    await open.commit();

    await expect(append).rejects.toMatchObject({ conflict: { streamId: 'Writer-1' } });
  });

  test('that is rolled back is in nobody’s way', async () => {
    const { store, database } = await useEmptyStore();
    const condition = await noneWith(store, 'x');
    const open = await openAppend(store, database.directUrl, 'Writer-1', tagged('x'));

    const append = store.appendToStream('Taken-1', [tagged('x')], { condition });
    await untilBlocked(database.directUrl);
    await open.rollback();

    expect(await append).toMatchObject({ version: 1 });
  });
});

describe('the locks of tags', () => {
  // Two stores, since each keeps its own appends with the same tags or streams apart. Both come as far as the one in the
  // middle, which somebody holds; then each would have the other's next, had they not begun with the same one.
  test('are taken in one order, so that conditions on the same tags in any order go through', async () => {
    const { stores, directUrl, deadlocks } = await twoStores();
    const after = await lastSliceOf(stores[0]);
    const tags = (
      await query<{ tag: string }>(
        directUrl,
        `select tag from unnest(array['a', 'b', 'c']) t (tag)
         order by hashtextextended(tag collate "C", hashoid('event_store'::regnamespace))`,
      )
    ).map(({ tag }) => tag);
    const { holder } = await openSessions(directUrl, 'holder');
    await holder.run('begin');
    await holder.run(lockTags, [[], [tags[1]], 1]);

    const appends = [tags, [...tags].reverse()].map((own, index) =>
      stores[index]!.appendToStream(
        `S-${index}`,
        own.map((tag) => tagged(tag)),
        { condition: { filter: own.map((tag) => ({ types: ['Never'], tags: [tag] })), after } },
      ),
    );
    await untilBlocked(directUrl, 2);
    await holder.run('commit');
    await Promise.all(appends);

    expect(await countEvents(directUrl)).toBe(6);
    expect(await deadlocks()).toBe(0);
  });

  test('come before those of streams, which are taken in one order, too', async () => {
    const { stores, directUrl, deadlocks } = await twoStores();
    const streams = ['A-1', 'B-1', 'C-1'];
    await stores[0].appendToStreams(streams.map((streamId) => ({ streamId, events: happened })));
    const { holder } = await openSessions(directUrl, 'holder');
    await holder.run('begin');
    await holder.run(`select from event_store.streams where stream_id = 'B-1' for update`);

    const appends = [streams, [...streams].reverse()].map((order, index) =>
      stores[index]!.appendToStreams(order.map((streamId) => ({ streamId, events: [tagged('x')] }))),
    );
    await untilBlocked(directUrl, 2);
    await holder.run('commit');
    await Promise.all(appends);

    expect(await countEvents(directUrl)).toBe(9);
    expect(await deadlocks()).toBe(0);
    expect(await brokenInvariants(directUrl)).toEqual([]);
  });

  test('deadlock where each event takes its own', async () => {
    const { database } = await useEmptyStore();
    const { one, two } = await openSessions(database.directUrl, 'one', 'two');
    for (const session of [one, two]) await session.run('begin');
    await one.run(lockTags, [['a'], null, 0]);
    await two.run(lockTags, [[], ['b'], 1]);
    one.start(lockTags, [['b'], null, 0]);
    await one.untilBlocked();
    two.start(lockTags, [[], ['a'], 1]);

    const outcomes = await Promise.allSettled([one.result(), two.result()]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: '40P01' } },
    ]);
  });

  test('are few, however many tags an append has', async () => {
    const { store, database } = await useEmptyStore();
    const many = Array.from({ length: 10_000 }, (_, index) => `tag ${index}`);
    const open = await openAppend(store, database.directUrl, 'Import-1', tagged(...many));

    expect(await locksIn(database.directUrl)).toBe(2);
    await open.commit();
    const few = await openAppend(store, database.directUrl, 'Few-1', tagged('a', 'b', 'a'));
    expect(await locksIn(database.directUrl)).toBe(3);
    await few.commit();
    expect((await store.readAll({ filter: { tags: ['tag 9999'] } })).events).toHaveLength(1);
  });

  test('are few in a batch, which takes fewer appends then', async () => {
    const { store, database } = await useEmptyStore();
    await store.appendToStream('Blocker-1', happened);
    const { blocker } = await openSessions(database.directUrl, 'blocker');
    await blocker.run('begin');
    await blocker.run('lock table event_store.events in access exclusive mode');
    const appends = Array.from({ length: 96 }, (_, stream) =>
      store.appendToStream(`S-${stream}`, [
        tagged(...Array.from({ length: 20 }, (_each, index) => `tag ${stream}/${index}`)),
      ]),
    );
    await untilBlocked(database.directUrl, 3);

    // Beside the append lock, each batch has the tags of six appends at most; of more, it would exclude the other batches.
    const locks = await locksIn(database.directUrl);
    expect(locks).toBeLessThanOrEqual(3 * (6 * 20 + 1));
    expect(locks).toBeGreaterThanOrEqual(3 * (20 + 1));
    await blocker.run('commit');
    await Promise.all(appends);
    expect(await countEvents(database.directUrl)).toBe(97);
  });
});

describe('a transaction of the caller', () => {
  async function begun() {
    const { store, database } = await useEmptyStore();
    const client = await connect(database.url);
    await client.query('begin');
    return { store, database, client, transaction: store.inTransaction(client) };
  }

  test.each([
    ['on a tag', { tags: ['x'] }],
    ['on everything', {}],
  ])('that has appended may not append under a condition %s', async (_on, filter) => {
    const { store, database, client, transaction } = await begun();
    const after = await lastSliceOf(store);
    await transaction.appendToStream('Plain-1', [tagged('x')]);

    await expectTypedError(
      transaction.appendToStream('Taken-1', [tagged('x')], { condition: { filter, after } }),
      { code: 'INVALID_ARGUMENT', says: /first of the transaction.*appendToStreams/ },
    );
    await client.query('commit');
    expect(await countEvents(database.directUrl)).toBe(1);
  });

  test('would wait for another such one', async () => {
    const { database } = await useEmptyStore();
    const { one, two } = await openSessions(database.directUrl, 'one', 'two');
    for (const session of [one, two]) {
      await session.run('begin');
      await session.run(lockTags, [['x'], null, 0]);
    }
    one.start(lockTags, [[], ['x'], 1]);
    await one.untilBlocked();
    two.start(lockTags, [[], ['x'], 1]);

    const outcomes = await Promise.allSettled([one.result(), two.result()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('may append under a condition first, and then more', async () => {
    const { store, database, client, transaction } = await begun();
    const condition = await noneWith(store, 'x');
    await transaction.appendToStreams(
      [
        { streamId: 'Taken-1', events: [tagged('x')] },
        { streamId: 'Taken-2', events: happened },
      ],
      { condition },
    );
    await transaction.appendToStream('Plain-1', [tagged('x')]);
    const other = store.appendToStream('Taken-3', [tagged('x')], { condition });
    await untilBlocked(database.directUrl);
    await client.query('commit');

    await expect(other).rejects.toMatchObject({ conflict: { streamId: 'Taken-1', position: 1 } });
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  test('may decide again when its condition failed, on the tags that it has', async () => {
    const { store, client, transaction } = await begun();
    const condition = await noneWith(store, 'x');
    await store.appendToStream('Taken-1', [tagged('x')]);
    await expect(transaction.appendToStream('Taken-2', [tagged('x')], { condition })).rejects.toMatchObject({
      code: 'APPEND_CONDITION_FAILED',
    });

    const again = await noneWith(store, 'x');
    expect(
      await transaction.appendToStream('Taken-2', [tagged('x'), tagged('y')], { condition: again }),
    ).toMatchObject({ version: 2 });
    await expectTypedError(
      transaction.appendToStream('Taken-3', [tagged('y')], { condition: await noneWith(store, 'y') }),
      { code: 'INVALID_ARGUMENT', says: /has appended already/ },
    );
    await client.query('commit');
    expect((await store.readAll()).events).toHaveLength(3);
  });

  test('releases the tag when it goes back to a savepoint, with the event', async () => {
    const { store, client, transaction } = await begun();
    const condition = await noneWith(store, 'x');
    await client.query('savepoint before');
    await transaction.appendToStream('Taken-1', [tagged('x')], { condition });
    await client.query('rollback to before');

    expect(await store.appendToStream('Taken-2', [tagged('x')], { condition })).toMatchObject({ version: 1 });
    await expect(transaction.appendToStream('Taken-1', [tagged('x')], { condition })).rejects.toMatchObject({
      conflict: { streamId: 'Taken-2' },
    });
  });

  test('keeps the tag while it is prepared', async () => {
    const { store, database, client, transaction } = await begun();
    const condition = await noneWith(store, 'x');
    await transaction.appendToStream('Taken-1', [tagged('x')], { condition });
    const name = `conditions ${database.name}`;
    await client.query(`prepare transaction '${name}'`);
    const append = store.appendToStream('Taken-2', [tagged('x')], { condition });
    await untilBlocked(database.directUrl);
    await client.query(`commit prepared '${name}'`);

    await expect(append).rejects.toMatchObject({ conflict: { streamId: 'Taken-1' } });
  });
});

describe('a transaction that has appended and stays open', () => {
  test.each([
    [
      'without tags',
      {},
      /condition has a filter without tags.*process \d+ of pg_stat_activity.*Give the filter a tag/,
    ],
    ['on a tag of it', { tags: ['x'] }, /Tags of the append are locked: the process \d+ of pg_stat_activity/],
  ])(
    'ends a condition %s with an error that names it, and holds up no other append',
    async (_on, filter, says) => {
      const { store, database } = await useEmptyStore({ operationTimeout: 1_000 });
      const after = await lastSliceOf(store);
      const open = await openAppend(store, database.directUrl, 'Open-1', tagged('x'));
      const append = expectTypedError(
        store.appendToStream('Taken-1', [tagged('x')], {
          condition: { filter, after },
          commitId: 'mine',
        }),
        { code: 'STORE_UNAVAILABLE', says },
      );
      await untilBlocked(database.directUrl);
      for (let round = 0; round < 10; round++) {
        await Promise.all(['A', 'B', 'C'].map((id) => store.appendToStream(`Other-${id}`, happened)));
      }
      await append;

      expect(await countEvents(database.directUrl)).toBe(30);
      await open.commit();
    },
  );

  test('would hold up all, if the lock of everything had no limit', async () => {
    const { store, database } = await useEmptyStore();
    const open = await openAppend(store, database.directUrl, 'Open-1');
    const { waiting } = await openSessions(database.directUrl, 'waiting');
    await waiting.run('begin');
    waiting.start(lockTags, [[], null, 2]);
    await waiting.untilBlocked();
    const other = store.appendToStream('Other-1', happened);
    await untilBlocked(database.directUrl, 2);

    await open.commit();
    await waiting.result();
    await waiting.run('commit');
    expect(await other).toMatchObject({ version: 1 });
  });
});

test.each([true, false])(
  'members of one batch in the reverse order of their streams get the right versions, under a condition: %s',
  async (isConditional) => {
    const { store, database } = await useEmptyStore();
    const after = await lastSliceOf(store);
    const options = isConditional ? { condition: { filter: { types: ['Never'] }, after } } : {};
    for (let round = 1; round <= 3; round++) {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.appendToStream(
            `S-${String(99 - index)}`,
            Array.from({ length: 1 + (index % 3) }, () => happened[0]!),
            options,
          ),
        ),
      );
      expect(results.map(({ version }) => version)).toEqual(
        results.map((_, index) => round * (1 + (index % 3))),
      );
    }
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  },
);

async function twoStores() {
  const database = await createDatabase();
  // Sooner than a store gives up the wait for a lock.
  await query(database.directUrl, `alter database "${database.name}" set deadlock_timeout = '20ms'`);
  const { store } = await usePostgresStore({ database });
  const { store: other } = await usePostgresStore({ database });
  const stores = [store, other] as const;
  const before = await deadlocksIn(database.directUrl);
  return {
    stores,
    directUrl: database.directUrl,
    /** A session reports those that it met when it ends, at the latest. */
    async deadlocks() {
      await Promise.all(stores.map((each) => each.close()));
      await endAppenders(database.directUrl);
      return (await deadlocksIn(database.directUrl)) - before;
    },
  };
}

/** A pooler keeps them. */
async function endAppenders(directUrl: string): Promise<void> {
  const appenders = `from pg_stat_activity where datname = current_database() and query like '%.append_members(%'
    and pid <> pg_backend_pid()`;
  await query(directUrl, `select pg_terminate_backend(pid) ${appenders}`);
  await expect.poll(async () => (await query(directUrl, `select ${appenders}`)).length).toBe(0);
}

async function deadlocksIn(directUrl: string): Promise<number> {
  const [row] = await query<{ deadlocks: number }>(
    directUrl,
    'select deadlocks::integer from pg_stat_database where datname = current_database()',
  );
  return row!.deadlocks;
}

/** Advisory locks that the database's sessions hold. */
async function locksIn(directUrl: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    directUrl,
    `select count(*)::integer from pg_locks where locktype = 'advisory' and granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return row!.count;
}
