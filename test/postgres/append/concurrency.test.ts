import {
  createCommandHandler,
  type AppendResult,
  type VersionConflictError,
  type Decider,
  type DomainEvent,
  type EventStore,
  type ExpectedVersion,
} from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, countLockWaits, query } from '../../support/postgres.js';
import { openSessions } from '../../support/sessions.js';
import { brokenInvariants, countEvents } from '../../support/stored-events.js';

const happened = [{ type: 'Happened', data: {} }];

/** Two stores on one database, as of two processes. */
async function twoStores(address: 'url' | 'directUrl' = 'url') {
  const { database } = await useEmptyStore();
  const connections = [0, 1].map(async () => {
    const store = await PostgresEventStore.connect({ connectionString: database[address] });
    onTestFinished(() => store.close());
    return store;
  });
  const [one, other] = (await Promise.all(connections)) as [PostgresEventStore, PostgresEventStore];
  return { stores: [one, other] as const, directUrl: database.directUrl };
}

/** How many of sixteen got through, and what the others were told. */
async function race(stores: readonly EventStore[], append: (store: EventStore) => Promise<AppendResult>) {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 16 }, (_, index) => append(stores[index % stores.length]!)),
  );
  return {
    accepted: outcomes.filter((outcome) => outcome.status === 'fulfilled').length,
    refusals: outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    ),
  };
}

test('a hundred commands to one aggregate, at the same time and from two processes, all take effect', async () => {
  const counter: Decider<number, 'count', DomainEvent<'Counted', number>> = {
    category: 'Counter',
    initialState: () => 0,
    evolve: (_count, { data }) => data,
    decide: (count) => [{ type: 'Counted', data: count + 1 }],
  };
  const { stores } = await twoStores();
  const handlers = stores.map((store) => createCommandHandler(store, counter));
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, index) => handlers[index % 2]!.execute('1', 'count')),
  );

  expect(new Set(outcomes.map(({ version }) => version)).size).toBe(100);
  const { events } = await stores[0].readStream('Counter-1');
  expect(events.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
});

describe('sixteen racers over two stores', () => {
  test.each<{ before: number; expectedVersion: ExpectedVersion; accepted: number }>([
    { before: 0, expectedVersion: 'noStream', accepted: 1 },
    { before: 0, expectedVersion: 0, accepted: 1 },
    { before: 0, expectedVersion: 'any', accepted: 16 },
    { before: 0, expectedVersion: 'streamExists', accepted: 0 },
    { before: 3, expectedVersion: 'noStream', accepted: 0 },
    { before: 3, expectedVersion: 3, accepted: 1 },
    { before: 3, expectedVersion: 2, accepted: 0 },
    { before: 3, expectedVersion: 'any', accepted: 16 },
    { before: 3, expectedVersion: 'streamExists', accepted: 16 },
  ])('who expect $expectedVersion of $before events: $accepted get through', async (given) => {
    const { before, expectedVersion, accepted } = given;
    const { stores, directUrl } = await twoStores();
    for (let version = 1; version <= before; version++) await stores[0].appendToStream('Race-1', happened);

    const result = await race(stores, (store) =>
      store.appendToStream('Race-1', [...happened, ...happened], { expectedVersion }),
    );

    expect(result.accepted).toBe(accepted);
    expect(await countEvents(directUrl)).toBe(before + 2 * accepted);
    for (const refusal of result.refusals) {
      expect(refusal).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: before + 2 * accepted });
    }
    expect(await brokenInvariants(directUrl)).toEqual([]);
    expect(await query(directUrl, 'select version::integer from event_store.streams')).toEqual(
      before + accepted === 0 ? [] : [{ version: before + 2 * accepted }],
    );
  });

  test('who look at the version first and then append all get through: the control', async () => {
    const { stores } = await twoStores();

    const { accepted } = await race(stores, async (store) => {
      if ((await store.readStream('Race-1')).version > 0) throw new Error('Somebody was first');
      return store.appendToStream('Race-1', happened);
    });

    expect(accepted).toBeGreaterThan(1);
  });
});

describe('appends to one stream that are sent together', () => {
  test('chain: each expects the version that the one before makes', async () => {
    const { store, database } = await useEmptyStore();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.appendToStream('Chain-1', happened, { expectedVersion: index }),
      ),
    );

    expect(results.map((result) => result.version)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  test('leave the neighbours of one that conflicts alone', async () => {
    const { store, database } = await useEmptyStore();
    await store.appendToStream('Chain-1', happened, { commitId: 'stored' });
    const append = (expectedVersion: ExpectedVersion, commitId?: string) =>
      store
        .appendToStream('Chain-1', happened, { expectedVersion, ...(commitId !== undefined && { commitId }) })
        .then(
          ({ version, deduplicated }) => (deduplicated ? `repeat of ${version}` : version),
          (error: unknown) => {
            const { code, actualVersion } = error as VersionConflictError;
            return `${code} at ${actualVersion}`;
          },
        );

    const outcomes = await Promise.all([
      append(1),
      append('noStream'),
      append('any', 'twice'),
      append(0, 'stored'),
      append(99),
      append('any', 'twice'),
      append(3),
    ]);

    expect(outcomes).toEqual([
      2,
      'VERSION_CONFLICT at 2',
      3,
      'repeat of 1',
      'VERSION_CONFLICT at 3',
      'repeat of 3',
      4,
    ]);
    expect(await countEvents(database.directUrl)).toBe(4);
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });
});

test('appends of two stores, one after the other, get positions in their order', async () => {
  const { stores } = await twoStores();
  const positions: number[] = [];
  for (let round = 0; round < 10; round++) {
    for (const store of stores) positions.push((await store.appendToStream('Turns-1', happened)).position);
  }
  // A reader who has seen one never looks before it again.
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
});

describe('batches of two stores over the same streams', () => {
  test('never wait for each other in a circle', async () => {
    const { stores, directUrl } = await twoStores('directUrl');
    const streams = Array.from({ length: 20 }, (_, index) => `Many-${index}`);
    for (let round = 0; round < 20; round++) {
      const orders = [streams, [...streams].reverse()];
      await Promise.all(
        stores.flatMap((store, index) =>
          orders[index]!.map((stream) => store.appendToStream(stream, happened)),
        ),
      );
    }

    await Promise.all(stores.map((store) => store.close()));
    expect(await countEvents(directUrl)).toBe(800);
    expect(await brokenInvariants(directUrl)).toEqual([]);
    expect(await deadlocks(directUrl)).toBe(0);
  });

  //  gate   locks 10                                    commit
  //  one                from 0 to 10 …                            to 19
  //  other              from 0 …    and not from 19 to 10 …
  test('take their streams in the same order, whatever the order of the calls', async () => {
    const { stores, directUrl } = await twoStores('directUrl');
    const streams = Array.from({ length: 20 }, (_, index) => `Many-${index}`);
    await Promise.all(streams.map((stream) => stores[0].appendToStream(stream, happened)));
    const { gate } = await openSessions(directUrl, 'gate');
    await gate.run('begin');
    await gate.run(`select from event_store.streams where stream_id = 'Many-10' for update`);

    const appends = [streams, [...streams].reverse()].flatMap((order, index) =>
      order.map((stream) => stores[index]!.appendToStream(stream, happened)),
    );
    await expect.poll(() => countLockWaits(directUrl)).toBe(2);
    await gate.run('commit');
    await Promise.all(appends);

    await Promise.all(stores.map((store) => store.close()));
    expect(await deadlocks(directUrl)).toBe(0);
  });

  test('would be seen if they did: the control', async () => {
    const { directUrl } = await twoStores();
    const [one, other] = await Promise.all([connect(directUrl), connect(directUrl)]);
    const lock = (stream: string) => `insert into event_store.streams values ('${stream}', 1)`;
    for (const client of [one, other]) await client.query(`begin; set local deadlock_timeout = '10ms'`);
    await one.query(lock('a'));
    await other.query(lock('b'));

    const results = await Promise.allSettled([
      one.query(lock('b')).finally(() => one.query('rollback')),
      other.query(lock('a')).finally(() => other.query('rollback')),
    ]);
    await Promise.all([one.end(), other.end()]);

    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await deadlocks(directUrl)).toBe(1);
  });

  /** Of connections that have ended: others tell of it later. */
  async function deadlocks(directUrl: string): Promise<number> {
    const [row] = await query<{ count: number }>(
      directUrl,
      'select deadlocks::integer as count from pg_stat_database where datname = current_database()',
    );
    return row!.count;
  }
});
