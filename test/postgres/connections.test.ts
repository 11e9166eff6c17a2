import pg from 'pg';
import { subscribe } from 'temporal-event-store';
import { PostgresEventStore, PostgresProjectionSink } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../dev/free-port.js';
import { createDatabase, query, useTcpProxy, type Database } from '../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];
const progress = { applied: 0, rate: 0 };
const shard = { name: 'totals', build: 1, shard: 0 };
const spec = { name: 'totals', version: 1, shards: 1 };

/** A pool as a caller makes it who thinks of nothing. */
function usePool(connectionString: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, ...options });
  onTestFinished(() => void pool.end().catch(() => undefined));
  return pool;
}

async function useStore(options: Parameters<typeof PostgresEventStore.connect>[0]) {
  const store = await PostgresEventStore.connect({ notifications: false, ...options });
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

async function terminate(directUrl: string): Promise<void> {
  await query(
    directUrl,
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
}

/** Whether new connections take writes; those that are there stay as they are. */
async function setReadOnly({ directUrl, name }: Database, isReadOnly: boolean): Promise<void> {
  const admin = new pg.Client({
    connectionString: directUrl,
    options: '-c default_transaction_read_only=off',
  });
  await admin.connect();
  await admin.query(`alter database "${name}" set default_transaction_read_only = ${String(isReadOnly)}`);
  await admin.end();
}

describe.each(['its own pools', 'a pool of the caller'])(
  'a server that takes no writes for a while, with %s',
  (whose) => {
    test('keeps no connection from going on', async () => {
      const database = await createDatabase();
      const pool = usePool(database.directUrl, { max: 8 });
      const own = whose === 'its own pools' ? { connectionString: database.directUrl } : { pool };
      const store = await useStore({ ...own, retryTimeout: 100 });
      const sink = new PostgresProjectionSink({ pool });
      await sink.open(spec, undefined);
      const { storeId } = await store.readAll();
      const write: readonly (() => Promise<unknown>)[] = [
        () => store.appendToStream('A-1', happened),
        () => store.checkpoints.save('c', { storeId, position: 0 }),
        () => store.snapshots.save('A-1', { name: 'm', version: 1 }, 1, {}),
        () => sink.acquire(shard),
      ];
      await setReadOnly(database, true);
      await terminate(database.directUrl);
      // As many as the pools hold, so that each holds some.
      for (const each of write) {
        const refused = await Promise.allSettled(Array.from({ length: 8 }, each));
        for (const outcome of refused) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
        }
      }

      await setReadOnly(database, false);

      const began = performance.now();
      const outcomes = await Promise.all(write.map((each) => each()));
      expect(outcomes[0]).toMatchObject({ version: 1 });
      expect(performance.now() - began).toBeLessThan(1_000);
    });
  },
);

describe('a pool of the caller', () => {
  test('may lose all its connections, idle, taken and listening, without anybody listening to it', async () => {
    const { directUrl } = await createDatabase();
    const pool = usePool(directUrl);
    const store = await useStore({ pool, notifications: true });
    const sink = new PostgresProjectionSink({ pool });
    await sink.open(spec, undefined);
    const events = subscribe(store);
    await store.appendToStream('A-1', happened);
    await events.next();
    const taken = await pool.connect();

    await terminate(directUrl);

    await store.appendToStream('A-1', happened);
    expect(await events.next()).toMatchObject({ value: { version: 2 } });
    await sink.acquire(shard);
    await expect(taken.query('select 1')).rejects.toThrow();
    taken.release(true);
    await events.return();
  });

  test('is listened to once, by however many', async () => {
    const { directUrl } = await createDatabase();
    const pool = usePool(directUrl, { max: 2 });
    const clients = new Set<pg.PoolClient>();
    pool.on('connect', (client) => clients.add(client));
    const counts = () => [
      pool.listenerCount('error'),
      ...[...clients].map((client) => client.listenerCount('error')),
    ];
    const first = await useStore({ pool });
    await first.appendToStream('A-1', happened);
    const before = counts();
    for (let round = 0; round < 20; round++) {
      const store = await PostgresEventStore.connect({ pool, notifications: false });
      await store.appendToStream('A-1', happened);
      await new PostgresProjectionSink({ pool }).open(spec, undefined);
      await store.close();
    }

    expect(Math.max(...counts())).toBeLessThanOrEqual(Math.max(...before));
    expect(pool.listenerCount('error')).toBe(1);
  });

  test('without a free connection is a typed error in time that says what to do, and no place in its queue is lost', async () => {
    const { directUrl } = await createDatabase();
    const pool = usePool(directUrl, { max: 2 });
    const store = await useStore({ pool, retryTimeout: 100, operationTimeout: 200 });
    const sink = new PostgresProjectionSink({ pool, operationTimeout: 200 });
    await sink.open(spec, undefined);
    const taken = await Promise.all([pool.connect(), pool.connect()]);
    const dry = {
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('had no free connection for 200 ms: all 2') as string,
    };

    for (let round = 0; round < 3; round++) {
      await Promise.all([
        expect(store.appendToStream('A-1', happened)).rejects.toMatchObject(dry),
        expect(store.readStream('A-1')).rejects.toMatchObject(dry),
        expect(store.readAll()).rejects.toMatchObject(dry),
        expect(store.checkpoints.load('c')).rejects.toMatchObject(dry),
        expect(sink.acquire(shard)).rejects.toMatchObject(dry),
      ]);
    }
    // Who waits anew waits in the place of one who gave up.
    expect(pool.waitingCount).toBeLessThanOrEqual(5);

    for (const client of taken) client.release();
    expect(await store.appendToStream('A-1', happened)).toMatchObject({ version: 1 });
    await expect.poll(() => [pool.waitingCount, pool.idleCount]).toEqual([0, pool.totalCount]);
  });
});

describe('a connection without an answer', () => {
  test('is given up by a projection sink, also when the statement is a handler’s', async () => {
    const { directUrl } = await createDatabase();
    const proxy = await useTcpProxy(directUrl);
    const pool = usePool(proxy.url(directUrl));
    const sink = new PostgresProjectionSink({ pool, operationTimeout: 300 });
    await sink.open(spec, undefined);
    const { token } = await sink.acquire(shard);

    const silent = sink.commit(shard, token, progress, async ({ context: { client } }) => {
      proxy.stall();
      await client.query('select 1');
    });
    await expect(silent).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    proxy.resume();

    // The server may take a moment to see that its client is gone, and to let go of the shard.
    await expect
      .poll(() => sink.commit(shard, token, progress, async () => undefined).then(() => 'done', String))
      .toBe('done');
  });

  test('is given up in a transaction of the caller, whose rollback does not wait for it', async () => {
    const { directUrl } = await createDatabase();
    const proxy = await useTcpProxy(directUrl);
    const pool = usePool(proxy.url(directUrl));
    const store = await useStore({ pool, operationTimeout: 300 });
    const client = await pool.connect();
    await client.query('begin');
    const transaction = store.inTransaction(client);
    await transaction.appendToStream('A-1', happened);
    proxy.stall();

    await expect(transaction.appendToStream('A-1', happened)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    await expect(client.query('rollback')).rejects.toThrow();

    client.release();
    proxy.resume();
    expect((await store.readStream('A-1')).version).toBe(0);
  });

  test('does not keep the store from closing', async () => {
    const { directUrl } = await createDatabase();
    const proxy = await useTcpProxy(directUrl);
    const connectionString = proxy.url(directUrl);
    const store = await PostgresEventStore.connect({
      connectionString,
      operationTimeout: 500,
      retryTimeout: 0,
    });
    await store.migrate();
    const controller = new AbortController();
    const next = subscribe(store, { pollInterval: 60_000, signal: controller.signal }).next();
    // Its first read may be cut short.
    next.catch(() => undefined);
    await expect.poll(() => proxy.connections()).toBeGreaterThan(1);

    proxy.stall();

    await store.close();
    controller.abort();
    await Promise.allSettled([next]);
  });
});

describe('an address of several hosts', () => {
  /** Through this proxy, or past it. */
  const either = (...urls: string[]) => {
    const [first = ''] = urls;
    const hosts = urls.map((url) => new URL(url).host).join();
    return first.replace(new URL(first).host, hosts);
  };

  test('leads to one that answers, and on to another when that is gone', async () => {
    const { directUrl } = await createDatabase();
    const proxies = [await useTcpProxy(directUrl), await useTcpProxy(directUrl)] as const;
    const [first, second] = proxies;
    const dead = new URL(directUrl);
    dead.port = String(await freePort());
    const connectionString = either(dead.href, ...proxies.map((proxy) => proxy.url(directUrl)));
    const store = await useStore({ connectionString });
    await store.appendToStream('A-1', happened);
    expect(first.connections()).toBeGreaterThan(0);

    first.refuse();
    first.reset();
    expect(await store.appendToStream('A-1', happened)).toMatchObject({ version: 2 });
    expect((await store.readAll()).events).toHaveLength(2);
    expect(second.connections()).toBeGreaterThan(0);

    // And back, past the one that never answers.
    await first.accept();
    second.refuse();
    second.reset();
    expect(await store.appendToStream('A-1', happened)).toMatchObject({ version: 3 });
  });

  test('is refused where it asks for a standby', async () => {
    await expect(
      PostgresEventStore.connect({ connectionString: 'postgres://a,b/db?target_session_attrs=standby' }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("target_session_attrs is 'standby'") as string,
    });
  });
});
