import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { useCluster, useStandby } from '../support/cluster.js';
import { connect, createDatabase, createRole, query, useTcpProxy } from '../support/postgres.js';
import { openSessions, untilBlocked } from '../support/sessions.js';

describe('the server', () => {
  test('answers, and syncs what it commits', async () => {
    expect(await query(inject('postgres').url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });

  test('is behind PgBouncer only if it is asked for', async () => {
    // PgBouncer knows nothing of a startup parameter that no one told it to ignore.
    const url = `${inject('postgres').url}?options=-csearch_path%3Dpublic`;
    const answer = query(url, 'SELECT 1');

    await (process.env['POSTGRES_VIA'] === 'pgbouncer'
      ? expect(answer).rejects.toThrow('unsupported startup parameter')
      : expect(answer).resolves.toHaveLength(1));
  });
});

describe('a database', () => {
  test('is empty, in UTF-8, and another one at each call', async () => {
    const [one, other] = await Promise.all([createDatabase(), createDatabase('naïve "name" 100 %')]);

    await query(one.url, 'CREATE TABLE only_here ()');

    const sql = `SELECT current_database() AS name, to_regclass('only_here') AS found,
                 current_setting('server_encoding') AS encoding`;
    expect(await query(one.url, sql)).toEqual([{ name: one.name, found: 'only_here', encoding: 'UTF8' }]);
    expect(await query(other.url, sql)).toEqual([{ name: other.name, found: null, encoding: 'UTF8' }]);
  });

  test('lets a new role in, which may do nothing else', async () => {
    const { url } = await createDatabase();
    const role = await createRole();

    const client = await connect(role.as(url));

    expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: role.name }]);
    await expect(client.query('CREATE TABLE public.forbidden ()')).rejects.toThrow(/permission denied/);
  });
});

describe('sessions', () => {
  const LOCK = 'SELECT pg_advisory_xact_lock(1)';

  test('are seen to wait, and to end', async () => {
    const { directUrl } = await createDatabase();
    const { holder, waiter } = await openSessions(directUrl, 'holder', 'waiter');
    await holder.run('BEGIN');
    await holder.run(LOCK);

    waiter.start(`${LOCK}, 1 AS got`);
    await waiter.untilBlocked();
    await untilBlocked(directUrl);

    expect(await Promise.all([holder.isBlocked(), waiter.isBlocked()])).toEqual([false, true]);
    await holder.run('COMMIT');
    expect(await waiter.result()).toMatchObject([{ got: 1 }]);
    expect(await waiter.isBlocked()).toBe(false);
  });

  test('say so when there is nothing to wait for', async () => {
    const { directUrl } = await createDatabase();
    const { alone } = await openSessions(directUrl, 'alone');

    alone.start(LOCK);

    await expect(alone.untilBlocked()).rejects.toThrow('Session alone does not wait');
    await expect(alone.run('SELECT 1')).rejects.toThrow('Session alone has a statement');
    await alone.result();
    await expect(alone.run('nonsense')).rejects.toThrow('syntax error');
  });
});

describe('the proxy', () => {
  const INSERT = 'INSERT INTO answers VALUES (42)';

  async function proxiedDatabase() {
    const { directUrl } = await createDatabase();
    await query(directUrl, 'CREATE TABLE answers (answer integer)');
    const proxy = await useTcpProxy(directUrl);
    return {
      proxy,
      url: proxy.url(directUrl),
      answers: async () => (await query<{ answer: number }>(directUrl, 'TABLE answers')).length,
    };
  }

  test('cuts after the server has committed and before the client hears of it', async () => {
    const { proxy, url, answers } = await proxiedDatabase();
    const client = await connect(url);
    const cut = proxy.cutAfter(({ tags }) => tags.includes('COMMIT'));

    await client.query('BEGIN');
    await client.query(INSERT);
    await expect(client.query('COMMIT')).rejects.toThrow();

    expect(await cut).toEqual({ sql: ['COMMIT'], tags: ['COMMIT'] });
    expect(await answers()).toBe(1);
    expect(await query(url, 'TABLE answers')).toHaveLength(1);
  });

  test('knows what a prepared statement was', async () => {
    const { proxy, url } = await proxiedDatabase();
    const client = await connect(url);
    const statement = { name: 'insert', text: 'INSERT INTO answers VALUES ($1)', values: [42] };
    const seen: unknown[] = [];
    proxy.onReply((exchange) => {
      seen.push(exchange);
      return 'forward';
    });

    await client.query(statement);
    await client.query(statement);

    const exchange = { sql: [statement.text], tags: ['INSERT 0 1'] };
    expect(seen).toEqual([exchange, exchange]);
  });

  test('resets connections and lets new ones in', async () => {
    const { proxy, url } = await proxiedDatabase();
    const client = await connect(url);
    const lost = expect(client.query('SELECT pg_sleep(60)')).rejects.toThrow();

    proxy.reset();

    await lost;
    await query(url, INSERT);
  });

  test('stalls half-open, and goes on where it was', async () => {
    const { proxy, url, answers } = await proxiedDatabase();
    const client = await connect(url);

    proxy.stall();
    const running = client.query(INSERT);
    const late = connect(url);
    expect(await Promise.race([running, late, sleep(100, 'nothing')])).toBe('nothing');
    expect(await answers()).toBe(0);
    proxy.resume();

    await running;
    expect(await (await late).query('TABLE answers')).toMatchObject({ rowCount: 1 });
    expect(proxy.connections()).toBe(2);
  });

  test('delays', async () => {
    const { proxy, url } = await proxiedDatabase();
    const client = await connect(url);

    proxy.delay(50);
    const started = performance.now();
    await client.query(INSERT);

    expect(performance.now() - started).toBeGreaterThan(99);
  });

  test('refuses new connections', async () => {
    const { proxy, url, answers } = await proxiedDatabase();
    const client = await connect(url);

    proxy.refuse();
    await expect(query(url, INSERT)).rejects.toThrow('ECONNREFUSED');
    await client.query(INSERT);
    await proxy.accept();
    await query(url, INSERT);

    expect(await answers()).toBe(2);
  });
});

describe('a cluster', () => {
  test('that is killed comes back at the same address with all that it committed', async () => {
    const cluster = await useCluster({ settings: { application_name: `it's` } });
    await query(cluster.url, 'CREATE TABLE committed ()');
    const client = await connect(cluster.url);
    const lost = expect(client.query('SELECT pg_sleep(60)')).rejects.toThrow();

    await cluster.killHard();
    await lost;
    await cluster.start();

    expect(await query(cluster.url, `SELECT to_regclass('committed') AS found`)).toEqual([
      { found: 'committed' },
    ]);
    expect(await cluster.log()).toContain('not properly shut down');
  });

  test('can be stopped and started', async () => {
    const cluster = await useCluster();
    await cluster.stop();
    await expect(query(cluster.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');

    await cluster.start();

    await query(cluster.url, 'SELECT 1');
    expect(await cluster.log()).not.toContain('not properly shut down');
  });

  test('has a standby that follows it', async () => {
    const primary = await useCluster();
    const standby = await useStandby(primary);

    await query(primary.url, 'CREATE TABLE copied ()');

    await expect
      .poll(() => query(standby.url, `SELECT pg_is_in_recovery() AS standby, to_regclass('copied') AS found`))
      .toEqual([{ standby: true, found: 'copied' }]);
  });
});
