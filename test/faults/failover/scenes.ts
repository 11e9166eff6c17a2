import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createPostgresPool, PostgresEventStore } from 'temporal-event-store/postgres';
import { findPostgresBinaries } from '../../../dev/postgres-server/binaries.js';
import { createCluster } from '../../../dev/postgres-server/cluster.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { withClient } from '../faults.js';
import { waitUntil, within } from '../wait.js';
import { detach, pair, start, synchronous, type Defer } from './pair.js';
import { Traffic } from './traffic.js';

/** Each takes less than a minute, and ends with a control: what must be caught when it is done wrong. */
export const scenes: Readonly<Record<string, (defer: Defer) => Promise<string>>> = {
  async 'a name leads to a standby for a while, and back'(defer) {
    const { primary, standby } = await pair(defer);
    const proxy = await startTcpProxy(primary.url);
    defer(() => proxy.close());
    const url = proxy.url(primary.url);
    const traffic = await startTraffic('named', url, url, defer);
    const naive = await startNaive(url, defer);
    await traffic.goesOn('the start');

    proxy.redirect(standby.url);
    proxy.reset();
    await sleep(3_000);
    // What was opened meanwhile stays open.
    proxy.redirect(primary.url);
    await traffic.goesOn('the name leads to the primary again');

    const { appended } = naive;
    await traffic.goesOn('a while');
    assert.equal(naive.appended, appended, 'a client that keeps its connections must not go on');
    await end(traffic, primary.url);
    return 'caught: a pool that keeps its connections never goes on';
  },

  async 'a standby is promoted'(defer) {
    const { primary, standby } = await pair(defer);
    const proxy = await startTcpProxy(primary.url);
    defer(() => proxy.close());
    const named = proxy.url(primary.url);
    const both = primary.url.replace(
      /@([^/]*)/,
      (_, host: string) => `@${host},${new URL(standby.url).host}`,
    );
    const traffics = [
      await startTraffic('named', named, named, defer),
      await startTraffic('hosts', both, both, defer),
    ];
    for (const traffic of traffics) await traffic.goesOn('the start');
    await synchronous(primary);

    const before = traffics.map(({ acknowledged }) => acknowledged.size);
    await waitUntil(
      () => traffics.every((traffic, index) => traffic.acknowledged.size > (before[index] ?? 0) + 20),
      'all append with a synchronous standby',
    );
    await primary.killHard();
    proxy.redirect(standby.url);
    proxy.reset();
    await sleep(1_000);
    await withClient(standby.url, (client) => client.query('select pg_promote()'));

    for (const traffic of traffics) await traffic.goesOn('the promotion', 20);
    for (const traffic of traffics) await end(traffic, standby.url);
    return controlOfLoss(defer);
  },

  async 'a pool of the caller runs dry'(defer) {
    const cluster = await start(await createCluster(await findPostgresBinaries()), defer);
    // As one is made who thinks of nothing: without a limit of time, without a listener.
    const pool = new pg.Pool({ connectionString: cluster.url, max: 4 });
    const store = await PostgresEventStore.connect({
      pool,
      operationTimeout: 1_000,
      retryTimeout: 500,
      notifications: false,
    });
    await store.migrate();
    const traffic = new Traffic('dry', store, pool);
    traffic.start();
    defer(() => traffic.abandon());
    await traffic.goesOn('the start');

    const taken = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
    const answers = Array.from({ length: 8 }, (_, index) =>
      store.appendToStream(`Dry-${index}`, [{ type: 'Happened', data: {} }]).then(
        () => 'appended',
        (error: unknown) => (error as Error).message,
      ),
    );
    const naive = pool.query('select 1').then(() => 'answered');
    for (const said of await within(10, 'each call is answered', Promise.all(answers))) {
      assert.match(said, /had no free connection for \d+ ms: all 4 are in use/);
    }
    const late = await Promise.race([naive, sleep(1_000, 'waits')]);
    for (const client of taken) client.release();
    await traffic.goesOn('the pool has connections again');
    await end(traffic, cluster.url);
    await waitUntil(() => pool.waitingCount === 0, 'nobody waits');
    assert.equal(late, 'waits', 'who sets no limit must wait');
    return 'caught: a query without a limit waits as long as the pool is dry';
  },
};

/** A promotion that loses what was acknowledged, which the comparison must see. */
async function controlOfLoss(defer: Defer): Promise<string> {
  const { primary, standby } = await pair(defer);
  const proxy = await startTcpProxy(primary.url);
  defer(() => proxy.close());
  const url = proxy.url(primary.url);
  const traffic = await startTraffic('lossy', url, url, defer);
  await traffic.goesOn('the start');
  await detach(standby);
  await traffic.goesOn('the standby receives nothing');
  await primary.killHard();
  await withClient(standby.url, (client) => client.query('select pg_promote()'));
  const findings = await audit(traffic, standby.url);
  assert.ok(findings.missing > 0, 'commits that were lost must be missed');
  return `caught: a promotion that loses commits (${findings.missing})`;
}

async function startTraffic(name: string, url: string, sinkUrl: string, defer: Defer): Promise<Traffic> {
  const store = await PostgresEventStore.connect({ connectionString: url, operationTimeout: 3_000 });
  await store.migrate();
  const pool = createPostgresPool({ connectionString: sinkUrl, max: 3 });
  const traffic = new Traffic(name, store, pool as unknown as pg.Pool);
  defer(async () => {
    await traffic.abandon();
    await store.close();
    await pool.end();
  });
  traffic.start();
  return traffic;
}

/** Who inserts by a pool of `pg` and nothing else. */
async function startNaive(url: string, defer: Defer): Promise<{ readonly appended: number }> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  await pool.query('create table naive (n serial primary key)');
  let isOver = false;
  const counter = { appended: 0 };
  const work = async (): Promise<void> => {
    while (!isOver) {
      const client = await pool.connect().catch(() => undefined);
      client?.on('error', () => undefined);
      try {
        await client?.query('insert into naive default values');
        counter.appended++;
      } catch {
        await sleep(20);
      }
      client?.removeAllListeners('error');
      client?.release();
    }
  };
  const working = [work(), work()];
  defer(async () => {
    isOver = true;
    await Promise.all(working);
    await pool.end();
  });
  return counter;
}

interface Findings {
  /** Commits that were acknowledged and aren't stored as they were. */
  readonly missing: number;
  readonly storedTwice: number;
  readonly neverSeen: number;
  readonly seenTwice: number;
  /** Numbers that the read model lacks below its checkpoint. */
  readonly unprojected: number;
  readonly unexpected: readonly string[];
}

async function audit({ name, acknowledged, seen, unexpected }: Traffic, url: string): Promise<Findings> {
  const [commits, numbers] = await withClient(url, async (client) => {
    const events = await client.query<{ key: string; commit: string }>(
      `select stream_id || ' ' || version as key, commit_id as commit from event_store.events where stream_id like $1`,
      [`Traffic-${name}%`],
    );
    const model = await client.query<{ lacking: number }>(
      `select (s.position - (select count(*) from numbers_${name}.number)) ::integer as lacking from checkpoints_${name}.shards s`,
    );
    return [events.rows, model.rows[0]?.lacking ?? 0] as const;
  });
  const stored = new Map(commits.map(({ key, commit }) => [key, commit]));
  return {
    missing: [...acknowledged].filter(([key, commit]) => stored.get(key) !== commit).length,
    storedTwice: commits.length - new Set(commits.map(({ commit }) => commit)).size,
    neverSeen: [...stored.keys()].filter((key) => !seen.includes(key)).length,
    seenTwice: seen.length - new Set(seen).size,
    unprojected: numbers,
    unexpected,
  };
}

async function end(traffic: Traffic, url: string): Promise<void> {
  await traffic.end();
  assert.deepEqual(await audit(traffic, url), {
    missing: 0,
    storedTwice: 0,
    neverSeen: 0,
    seenTwice: 0,
    unprojected: 0,
    unexpected: [],
  });
}
