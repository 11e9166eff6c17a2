import { PostgresEventStore, migrationScript } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  consumerOf,
  contiguousCursor,
  faultsOf,
  impatientCursor,
  transactionHorizon,
} from '../../support/consumers.js';
import { openAppend, startPoll } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { connect, createDatabase, query } from '../../support/postgres.js';

interface Scene {
  readonly store: PostgresEventStore;
  readonly directUrl: string;
}

const happened = [{ type: 'Happened', data: {} }];

describe('a position that nobody will ever see', () => {
  /** Each leaves position 1 drawn and not stored. */
  const gaps: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
    async 'was rolled back'({ store, directUrl }) {
      const append = await openAppend(store, directUrl, 'Gone-1');
      await append.rollback();
    },
    async 'was rolled back to a savepoint'({ store, directUrl }) {
      const client = await connect(directUrl);
      await client.query('begin; savepoint before');
      await store.inTransaction(client).appendToStream('Gone-1', happened);
      await client.query('rollback to before; commit');
    },
    async 'was of a process that was terminated'({ store, directUrl }) {
      const append = await openAppend(store, directUrl, 'Gone-1');
      await append.terminate();
    },
    async 'was of a prepared transaction that was rolled back'({ store, directUrl }) {
      const append = await openAppend(store, directUrl, 'Gone-1');
      await append.run(`prepare transaction 'gone'`);
      await query(directUrl, `rollback prepared 'gone'`);
    },
    async 'was of a batch that the database refused'({ store, directUrl }) {
      await query(directUrl, `alter table event_store.events add check (type <> 'Refused')`);
      const refused = store.appendToStream('Gone-1', [{ type: 'Refused', data: {} }]);
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  };

  test.each(Object.entries(gaps))('and that %s is stepped over', async (_, leaveGap) => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    await leaveGap({ store, directUrl });
    const { position } = await store.appendToStream('Here-1', happened);
    const [everything, filtered] = [
      consumerOf(store),
      consumerOf(store, { filter: { types: ['Happened'] } }),
    ];
    const patient = contiguousCursor(directUrl);

    for (const consumer of [everything, filtered, patient]) await consumer.poll();

    expect(position).toBe(2);
    expect(await faultsOf(everything, directUrl)).toEqual([]);
    expect(await faultsOf(filtered, directUrl)).toEqual([]);
    // The control: one who waits for each number is held up for ever.
    expect(await faultsOf(patient, directUrl)).toEqual(['2 is lost']);
  });

  test('is waited for while its process lives, and stepped over once that is terminated', async () => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    const gone = await openAppend(store, directUrl, 'Gone-1');
    await store.appendToStream('Here-1', happened);
    const consumer = consumerOf(store);

    const poll = await startPoll(consumer, directUrl);
    expect(poll.isWaiting).toBe(true);
    await gone.terminate();
    await poll.finish();

    expect(consumer.seen).toEqual([2]);
    expect(await faultsOf(consumer, directUrl)).toEqual([]);
  });
});

describe('a transaction that appends nothing', () => {
  /** Each leaves a transaction open that has written. */
  const foreign: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
    async 'in the same database'({ directUrl }) {
      const client = await connect(directUrl);
      await client.query('create table event_store.orders (id integer)');
      await client.query('begin');
      await client.query('insert into event_store.orders values (1)');
    },
    async 'with advisory locks of its own'({ directUrl }) {
      const client = await connect(directUrl);
      await client.query('begin');
      await client.query('select pg_current_xact_id()');
      await client.query(
        `select pg_advisory_xact_lock_shared(class, object + 1), pg_advisory_xact_lock_shared(class + 1, object),
           pg_advisory_xact_lock(1), pg_advisory_xact_lock((class::bigint << 32) | (object & 4294967295))
         from event_store.append_lock()`,
      );
    },
    async 'in another database'() {
      const { directUrl } = await createDatabase();
      const client = await connect(directUrl);
      await client.query('create table orders (id integer)');
      await client.query('begin');
      await client.query('insert into orders values (1)');
    },
    async 'to this store, but to another one in the same database'({ directUrl }) {
      const other = await PostgresEventStore.connect({ connectionString: directUrl, schema: 'other_store' });
      onTestFinished(() => other.close());
      await other.migrate();
      await openAppend(other, directUrl, 'Other-1');
    },
  };

  test.each(Object.entries(foreign))('%s holds up nobody', async (_, begin) => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    // A gap, so that the reader looks who appends.
    await (await openAppend(store, directUrl, 'Gone-1')).rollback();
    await begin({ store, directUrl });
    await store.appendToStream('Here-1', happened);
    const [everything, filtered] = [
      consumerOf(store),
      consumerOf(store, { filter: { types: ['Happened'] } }),
    ];
    const horizon = transactionHorizon(directUrl);

    for (const consumer of [everything, filtered, horizon]) await consumer.poll();

    expect(await faultsOf(everything, directUrl)).toEqual([]);
    expect(await faultsOf(filtered, directUrl)).toEqual([]);
    // The control: one who waits for all older transactions of the server sees nothing.
    expect(await faultsOf(horizon, directUrl)).toEqual(['2 is lost']);
  });

  test('to this store, but to its copy in another database, holds up nobody', async () => {
    const { directUrl } = await createDatabase();
    await query(directUrl, migrationScript('event_store'));
    // With the same oids, and so with the same keys of the locks.
    const copyUrl = await copyDatabase(directUrl);
    const [store, copy] = await Promise.all([directUrl, copyUrl].map(useStore));
    await (await openAppend(store!, directUrl, 'Gone-1')).rollback();
    await openAppend(copy!, copyUrl, 'Other-1');
    await store!.appendToStream('Here-1', happened);
    const consumer = consumerOf(store!);

    await consumer.poll();

    expect(await faultsOf(consumer, directUrl)).toEqual([]);
    expect(consumer.seen).toEqual([2]);
  });
});

async function useStore(connectionString: string): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString, settleTimeout: 3_000 });
  onTestFinished(() => store.close());
  return store;
}

async function copyDatabase(directUrl: string): Promise<string> {
  const url = new URL(directUrl);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const server = url.href;
  await query(server, `create database ${name}_copy template ${name}`);
  onTestFinished(async () => {
    await query(server, `drop database ${name}_copy with (force)`);
  });
  url.pathname = `/${name}_copy`;
  return url.href;
}

describe('an append that takes long', () => {
  test('lets readers have what comes before it', async () => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    await store.appendToStream('Fast-1', happened);
    const slow = await openAppend(store, directUrl, 'Slow-1');
    await store.appendToStream('Fast-1', happened);

    const slice = await store.readAll();

    expect(slice.events.map((event) => event.position)).toEqual([1]);
    expect(slice).toMatchObject({ position: 1, isEnd: false });
    await slow.rollback();
  });

  test('is waited for by those who began after it, not by those it began after', async () => {
    const { store, database } = await useEmptyStore();
    const { directUrl } = database;
    const first = await openAppend(store, directUrl, 'Slow-1');
    await store.appendToStream('Fast-1', happened);
    const consumer = consumerOf(store);
    const poll = await startPoll(consumer, directUrl);

    const second = await openAppend(store, directUrl, 'Slow-2');
    await first.commit();
    await poll.finish();

    expect(consumer.seen).toEqual([1, 2]);
    await second.commit();
    await consumer.poll();
    expect(await faultsOf(consumer, directUrl)).toEqual([]);
  });

  test('makes a reader give up in time, who loses nothing by it', async () => {
    const { store, database } = await useEmptyStore({ settleTimeout: 100 });
    const { directUrl } = database;
    const slow = await openAppend(store, directUrl, 'Slow-1');
    await store.appendToStream('Fast-1', happened);
    const consumers = [consumerOf(store), consumerOf(store, { filter: { types: ['Happened'] } })];
    const impatient = impatientCursor(directUrl, 100);

    for (const consumer of consumers) {
      await expect(consumer.poll()).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(/pg_locks\.virtualtransaction.*has not ended for 100 ms/) as string,
      });
    }
    await impatient.poll();
    await slow.commit();

    for (const consumer of consumers) {
      await consumer.poll();
      expect(await faultsOf(consumer, directUrl)).toEqual([]);
    }
    await impatient.poll();
    // The control: one who takes an old gap for a rolled back position.
    expect(await faultsOf(impatient, directUrl)).toEqual(['1 is lost']);
  });

  test('names the transaction that a reader waits for as PostgreSQL does', async () => {
    const { store, database } = await useEmptyStore({ settleTimeout: 50 });
    const client = await connect(database.directUrl);
    await client.query('begin');
    await store.inTransaction(client).appendToStream('Slow-1', happened);
    await store.appendToStream('Fast-1', happened);
    const { rows } = await client.query<{ name: string }>(
      'select virtualtransaction as name from pg_locks where pid = pg_backend_pid() limit 1',
    );

    await expect(store.readAll()).rejects.toThrow(`A transaction that appends (${rows[0]!.name} in pg_locks`);
  });

  test('lets a reader stop waiting', async () => {
    const { store, database } = await useEmptyStore();
    await openAppend(store, database.directUrl, 'Slow-1');
    await store.appendToStream('Fast-1', happened);
    const controller = new AbortController();
    const consumer = {
      seen: [],
      async poll() {
        await store.readAll({ signal: controller.signal });
      },
    };

    const poll = await startPoll(consumer, database.directUrl);
    expect(poll.isWaiting).toBe(true);
    controller.abort(new Error('enough'));

    await expect(poll.finish()).rejects.toThrow('enough');
  });
});
