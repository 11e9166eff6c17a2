import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { StoreUnavailableError } from 'temporal-event-store';
import { PostgresEventStore, type PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../support/cluster.js';
import type { Exchange } from '../support/postgres-messages.js';
import { usePostgresStore } from '../support/postgres-store.js';
import { createDatabase, query, useTcpProxy } from '../support/postgres.js';
import { openSessions, untilBlocked } from '../support/sessions.js';

/** An append is one statement, which is a transaction of its own: its answer is that of COMMIT. */
const isAppend = ({ sql }: Exchange): boolean => sql.some((text) => /append_(event|members)\(/.test(text));

/** A store whose network is the proxy's, and what its database holds. */
async function useProxiedStore(options: Omit<PostgresEventStoreOptions, 'connectionString' | 'pool'> = {}) {
  const database = await createDatabase();
  const { directUrl } = database;
  const proxy = await useTcpProxy(directUrl);
  const { store } = await usePostgresStore({ database, connectionString: proxy.url(directUrl), ...options });
  return { store, proxy, directUrl };
}

/** What is stored, from outside of the store. */
async function stored(directUrl: string) {
  const sql = `select stream_id, version::integer, commit_id from event_store.events order by position`;
  const rows = await query<{ stream_id: string; version: number; commit_id: string }>(directUrl, sql);
  return rows.map(({ stream_id, version, commit_id }) => `${stream_id} ${version} ${commit_id}`);
}

/** An error that says with which commit id to ask again. */
const isUnavailableFor = (commitId: string) => (error: unknown) =>
  error instanceof StoreUnavailableError && error.commitId === commitId;

async function terminateBackends(directUrl: string, which = 'true'): Promise<void> {
  const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${which}`;
  const pids = await query<{ pid: number }>(directUrl, `select pid, pg_terminate_backend(pid) ${others}`);
  expect(pids.length).toBeGreaterThan(0);
  await expect
    .poll(() =>
      query(directUrl, 'select 1 from pg_stat_activity where pid = any ($1)', [pids.map(({ pid }) => pid)]),
    )
    .toEqual([]);
}

/** Messages of a server. */
const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
};
const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const terminated = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminated\0\0'));

/** A store on a pool of two connections, which the test may take. */
async function useOwnPool(options: Pick<PostgresEventStoreOptions, 'retryTimeout'> = {}) {
  const { directUrl } = await createDatabase();
  const proxy = await useTcpProxy(directUrl);
  const pool = new pg.Pool({ connectionString: proxy.url(directUrl), max: 2, connectionTimeoutMillis: 200 });
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());
  // Notifications would use the pool too, at times of their own.
  const store = await PostgresEventStore.connect({ pool, notifications: false, ...options });
  onTestFinished(() => store.close());
  await store.migrate();
  return { store, pool, proxy, directUrl };
}

const happened = [{ type: 'Happened', data: {} }];
const append = (store: PostgresEventStore, commitId: string, streamId = 'Account-1') =>
  store.appendToStream(streamId, happened, { commitId });

describe('a backend that is terminated', () => {
  /** Nobody has heard of its end when the append is sent to it. */
  async function appendToTerminated(options: Pick<PostgresEventStoreOptions, 'retryTimeout'>) {
    const { store, pool, proxy, directUrl } = await useOwnPool(options);
    await append(store, 'one');
    await expect.poll(() => pool.idleCount).toBe(pool.totalCount);
    proxy.stall();
    await terminateBackends(directUrl);
    const second = append(store, 'two');
    // A rejection that comes before the test looks at it.
    second.catch(() => undefined);
    await expect.poll(() => pool.idleCount, { interval: 1 }).toBeLessThan(pool.totalCount);
    proxy.resume();
    return { store, second, directUrl };
  }

  test('as soon as it is there is a typed error', async () => {
    const server = createServer((socket) => {
      // All in one piece: that it is ready, and that it ends.
      socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, terminated])));
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    await expect(
      PostgresEventStore.connect({ connectionString: `postgres://user@127.0.0.1:${port}/any` }),
    ).rejects.toThrow(StoreUnavailableError);
  });

  test('before it gets the append: the append goes to another', async () => {
    const { second, directUrl } = await appendToTerminated({});

    expect(await second).toMatchObject({ version: 2 });
    expect(await stored(directUrl)).toEqual(['Account-1 1 one', 'Account-1 2 two']);
  });

  test('while it appends: the batch is appended by another', async () => {
    const { store, directUrl } = await useProxiedStore();
    await append(store, 'one');
    const { other } = await openSessions(directUrl, 'other');
    await other.run('begin');
    await other.run(`select from event_store.streams where stream_id = 'Account-1' for update`);

    const results = Promise.all([
      append(store, 'two'),
      append(store, 'three'),
      append(store, 'four', 'Account-2'),
    ]);
    await untilBlocked(directUrl);
    await terminateBackends(directUrl, 'cardinality(pg_blocking_pids(pid)) > 0');
    await untilBlocked(directUrl);
    await other.run('commit');

    expect(await results).toMatchObject([
      { version: 2, deduplicated: false },
      { version: 3, deduplicated: false },
      { version: 1, deduplicated: false },
    ]);
    expect((await stored(directUrl)).sort()).toEqual([
      'Account-1 1 one',
      'Account-1 2 two',
      'Account-1 3 three',
      'Account-2 1 four',
    ]);
  });

  test('and is not replaced in time: the error is typed, and nothing is stored', async () => {
    const { store, second, directUrl } = await appendToTerminated({ retryTimeout: 0 });

    await expect(second).rejects.toSatisfy(isUnavailableFor('two'));

    expect(await stored(directUrl)).toEqual(['Account-1 1 one']);
    expect(await append(store, 'two')).toMatchObject({ version: 2, deduplicated: false });
  });
});

describe('a connection that is lost after COMMIT was sent', () => {
  test('costs nothing: each append of the batch is answered, and stored once', async () => {
    const { store, proxy, directUrl } = await useProxiedStore();
    const ids = ['one', 'two', 'three'];
    const cut = proxy.cutAfter(isAppend);

    const results = await Promise.all(ids.map((id) => append(store, id)));

    await cut;
    expect(results.map(({ version, deduplicated }) => [version, deduplicated])).toEqual(
      // With an id of the caller's it can't tell from an append of an earlier call.
      [1, 2, 3].map((version) => [version, true]),
    );
    expect(await stored(directUrl)).toEqual(ids.map((id, index) => `Account-1 ${index + 1} ${id}`));
  });

  test('is no repetition when the commit id is of the own choice of the store', async () => {
    const { store, proxy, directUrl } = await useProxiedStore();
    const cut = proxy.cutAfter(isAppend);

    const result = await store.appendToStream('Account-1', happened, { expectedVersion: 'noStream' });

    await cut;
    expect(result).toMatchObject({ version: 1, deduplicated: false });
    expect(await stored(directUrl)).toEqual([`Account-1 1 ${result.commitId}`]);
  });

  test('is a typed error for who repeats nothing, who can ask again under the same commit id', async () => {
    const { store, proxy, directUrl } = await useProxiedStore({ retryTimeout: 0 });
    void proxy.cutAfter(isAppend);

    await expect(append(store, 'one')).rejects.toSatisfy(isUnavailableFor('one'));

    expect(await append(store, 'one')).toMatchObject({ version: 1, deduplicated: true });
    expect(await stored(directUrl)).toEqual(['Account-1 1 one']);
  });
});

describe('a server that is killed while 16 writers append', () => {
  test('has all that was acknowledged when it is back, once, and the writers go on', async () => {
    const cluster = await useCluster();
    const store = await PostgresEventStore.connect({ connectionString: cluster.url, retryTimeout: 30_000 });
    onTestFinished(() => store.close());
    await store.migrate();
    const acknowledged = new Map<string, string>();
    let isOver = false;
    const write = async (writer: number) => {
      for (let count = 1; !isOver; count++) {
        const streamId = count % 2 === 0 ? 'Hot-1' : `Cold-${writer}`;
        const { version, commitId } = await append(store, `${writer}/${count}`, streamId);
        acknowledged.set(commitId, `${streamId} ${version} ${commitId}`);
      }
    };
    const writers = Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
    await expect.poll(() => acknowledged.size).toBeGreaterThan(300);

    await cluster.killHard();
    const before = acknowledged.size;
    await cluster.start();

    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 300);
    isOver = true;
    await writers;
    // All that was begun was acknowledged, so nothing else may be there.
    const found = await stored(cluster.url);
    expect(found.sort()).toEqual([...acknowledged.values()].sort());
    const gaps = await query(
      cluster.url,
      `select stream_id from event_store.events group by stream_id having max(version) <> count(*) or min(version) <> 1`,
    );
    expect(gaps).toEqual([]);
    expect(await cluster.log()).not.toContain('deadlock detected');
  });
});

describe('a pool without a free connection', () => {
  test('is a typed error when none becomes free in time, and nothing is stored', async () => {
    const { store, pool, directUrl } = await useOwnPool({ retryTimeout: 0 });
    const taken = await Promise.all([pool.connect(), pool.connect()]);

    await expect(append(store, 'one')).rejects.toSatisfy(isUnavailableFor('one'));
    await expect(store.readStream('Account-1')).rejects.toThrow(StoreUnavailableError);
    await expect(store.readAll()).rejects.toThrow(StoreUnavailableError);

    expect(await stored(directUrl)).toEqual([]);
    for (const client of taken) client.release();
    expect(await append(store, 'one')).toMatchObject({ version: 1, deduplicated: false });
  });

  test('is waited for', async () => {
    const { store, pool, directUrl } = await useOwnPool({ retryTimeout: 10_000 });
    const taken = await Promise.all([pool.connect(), pool.connect()]);

    const results = Promise.all(['one', 'two'].map((id) => append(store, id)));
    await expect.poll(() => pool.waitingCount).toBeGreaterThan(0);
    // The first wait is over, and another one has begun.
    await expect.poll(() => pool.waitingCount, { interval: 1 }).toBe(0);
    await expect.poll(() => pool.waitingCount, { interval: 1 }).toBeGreaterThan(0);
    for (const client of taken) client.release();

    expect(await results).toMatchObject([{ version: 1 }, { version: 2 }]);
    expect(await stored(directUrl)).toEqual(['Account-1 1 one', 'Account-1 2 two']);
  });
});

describe('a connection that is half-open', () => {
  test('is given up in time, and the append can be sent again, late as the first one may arrive', async () => {
    const { store, proxy, directUrl } = await useProxiedStore({ operationTimeout: 300, retryTimeout: 0 });
    await append(store, 'one');

    proxy.stall();
    await expect(append(store, 'two')).rejects.toSatisfy(isUnavailableFor('two'));
    proxy.resume();

    expect(await append(store, 'two')).toMatchObject({ version: 2 });
    expect(await stored(directUrl)).toEqual(['Account-1 1 one', 'Account-1 2 two']);
  });

  test('is replaced without a word to the caller when the network is back', async () => {
    const { store, proxy, directUrl } = await useProxiedStore({
      operationTimeout: 300,
      retryTimeout: 20_000,
    });
    await append(store, 'one');
    const { store: impatient } = await usePostgresStore({
      database: { name: '', url: directUrl, directUrl },
      connectionString: proxy.url(directUrl),
      operationTimeout: 600,
      retryTimeout: 0,
    });

    proxy.stall();
    const second = append(store, 'two');
    // By then the first try of the other has been given up.
    await expect(append(impatient, 'three', 'Account-2')).rejects.toThrow(StoreUnavailableError);
    proxy.resume();

    expect(await second).toMatchObject({ version: 2 });
    expect((await stored(directUrl)).filter((event) => event.startsWith('Account-1'))).toEqual([
      'Account-1 1 one',
      'Account-1 2 two',
    ]);
  });
});

describe('a statement timeout of the server', () => {
  test('is a typed error that stores nothing, and the append can be sent again', async () => {
    const database = await createDatabase();
    const { directUrl } = database;
    await query(directUrl, `alter database ${database.name} set statement_timeout = 200`);
    const { store } = await usePostgresStore({ database, connectionString: directUrl, retryTimeout: 0 });
    await append(store, 'one');
    const { other } = await openSessions(directUrl, 'other');
    await other.run('begin');
    await other.run(`select from event_store.streams where stream_id = 'Account-1' for update`);

    await expect(append(store, 'two')).rejects.toSatisfy(isUnavailableFor('two'));
    expect(await append(store, 'three', 'Account-2')).toMatchObject({ version: 1 });

    await other.run('commit');
    expect(await append(store, 'two')).toMatchObject({ version: 2, deduplicated: false });
    expect(await stored(directUrl)).toEqual(['Account-1 1 one', 'Account-2 1 three', 'Account-1 2 two']);
  });
});

describe('the look at who can see the locks, before the first read in order', () => {
  const isProbe = ({ sql }: Exchange): boolean =>
    sql.some((text) => text.includes('pg_advisory_xact_lock_shared(1163152724'));

  test('is made again after a failure, which is typed', async () => {
    const { store, proxy } = await useProxiedStore({ retryTimeout: 0 });
    await append(store, 'one');
    const cut = proxy.cutAfter(isProbe);

    await expect(store.readAll()).rejects.toThrow(StoreUnavailableError);

    await cut;
    const probes: Exchange[] = [];
    proxy.onReply((exchange) => {
      if (isProbe(exchange)) probes.push(exchange);
      return 'forward';
    });
    expect((await store.readAll()).events).toHaveLength(1);
    expect(probes).toHaveLength(1);
  });
});
