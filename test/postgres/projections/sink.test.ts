import pg from 'pg';
import {
  HandlerError,
  isEventStoreError,
  OwnershipLostError,
  type ProjectionBuild,
  type ShardKey,
  type ShardProgress,
} from 'temporal-event-store';
import { PostgresProjectionSink, type SqlProjectionContext } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  countLockWaits,
  createDatabase,
  createRole,
  query,
  useTcpProxy,
  type Database,
} from '../../support/postgres.js';

const name = 'totals';
const init = ({ client }: SqlProjectionContext): unknown =>
  client.query('create table total (id text primary key, n int)');
const insert =
  (id: string) =>
  ({ context: { client } }: { context: SqlProjectionContext }) =>
    client.query('insert into total values ($1, 1)', [id]).then(() => undefined);

function at(position: number): ShardProgress {
  return { checkpoint: { storeId: 'store', position }, applied: position, rate: 1 };
}

async function useSink(
  url?: string,
): Promise<{ sink: PostgresProjectionSink; database: Database; pool: pg.Pool }> {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: url ?? database.url, max: 4 });
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());
  return { sink: new PostgresProjectionSink({ pool }), database, pool };
}

async function useLive(name = 'totals'): Promise<Awaited<ReturnType<typeof useSink>> & { shard: ShardKey }> {
  const used = await useSink();
  const [live] = await used.sink.open({ name, version: 1, shards: 1 }, init);
  return { ...used, shard: { name, build: (live as ProjectionBuild).build, shard: 0 } };
}

async function ids({ directUrl }: Database, schema = name): Promise<string[]> {
  const rows = await query<{ id: string }>(directUrl, `select id from "${schema}".total order by id`);
  return rows.map(({ id }) => id);
}

describe('a commit', () => {
  it('writes and moves the checkpoint together', async () => {
    const { sink, database, shard } = await useLive();
    const { token } = await sink.acquire(shard);

    const lastSeen = { position: 1, id: 'an event' };
    await sink.commit(shard, token, { ...at(1), lastSeen }, insert('a'));
    const failing = sink.commit(shard, token, at(2), async (transaction) => {
      await insert('b')(transaction);
      throw new HandlerError(new TypeError('no'));
    });

    await expect(failing).rejects.toThrow(HandlerError);
    expect(await ids(database)).toEqual(['a']);
    expect(await sink.acquire(shard)).toMatchObject({
      checkpoint: { storeId: 'store', position: 1 },
      applied: 1,
      lastSeen,
    });
  });

  it.each(['on', 'off'])(
    'takes any name to the letter, with standard_conforming_strings %s',
    async (setting) => {
      const hostile = `a'; drop schema "b" cascade; -- $1 __schema__ \\'`;
      const { sink, database, pool, shard } = await useLive(hostile);
      await pool.query(`set standard_conforming_strings = ${setting}`);
      const { token } = await sink.acquire(shard);
      const checkpoint = { storeId: hostile, position: 1 };

      await sink.commit(shard, token, { ...at(1), checkpoint }, insert('a'));

      expect(await ids(database, hostile.replaceAll('"', '""'))).toEqual(['a']);
      expect(await sink.acquire(shard)).toMatchObject({ checkpoint });
      // All of it on the connection with the setting.
      expect(pool.totalCount).toBe(1);
    },
  );

  it('of an owner who was succeeded writes nothing', async () => {
    const { sink, database, shard } = await useLive();
    const first = await sink.acquire(shard);
    const second = await sink.acquire(shard);

    await expect(sink.commit(shard, first.token, at(1), insert('first'))).rejects.toThrow(OwnershipLostError);
    await sink.commit(shard, second.token, at(1), insert('second'));

    expect(await ids(database)).toEqual(['second']);
  });

  it('of an owner whose build was dropped writes nothing into the one that is made in its place', async () => {
    const { sink, database } = await useLive();
    const begin = async (): Promise<ShardKey> => {
      const { build } = await sink.begin({ name, version: 2, shards: 1 }, { init, reset: undefined });
      return { name, build, shard: 0 };
    };
    const dropped = await begin();
    const before = await sink.acquire(dropped);
    const next = await begin();
    const after = await sink.acquire(next);

    await expect(sink.commit(dropped, before.token, at(1), insert('before'))).rejects.toThrow(
      OwnershipLostError,
    );
    await sink.commit(next, after.token, at(1), insert('after'));

    // The number of the build is the same, so that it is the token that tells them apart.
    expect(next).toEqual(dropped);
    expect(await ids(database, `${name}__next`)).toEqual(['after']);
  });

  it('that is under way is waited for by who takes over, and by a fence', async () => {
    const { sink, database, shard } = await useLive();
    const { token } = await sink.acquire(shard);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let isWriting = (): void => undefined;
    const writing = new Promise<void>((resolve) => (isWriting = resolve));
    const committing = sink.commit(shard, token, at(1), async (transaction) => {
      await insert('a')(transaction);
      isWriting();
      await held;
    });
    await writing;
    let isFenced = false;
    const fencing = sink.fence(name).then(() => (isFenced = true));

    // The fence waits for the lock that the writer has.
    await expect.poll(() => countLockWaits(database.directUrl)).toBe(1);
    expect(isFenced).toBe(false);
    goOn();
    await Promise.all([committing, fencing]);

    await expect(sink.commit(shard, token, at(2), insert('b'))).rejects.toThrow(OwnershipLostError);
    expect(await ids(database)).toEqual(['a']);
  });

  it.each([
    [
      'goes on after a statement of its own failed',
      async ({ client }: SqlProjectionContext) => {
        await client.query('select nonsense').catch(() => undefined);
      },
    ],
    [
      'leaves what a deferred constraint refuses',
      async ({ client }: SqlProjectionContext) => {
        await client.query('create table one (id int unique deferrable initially deferred)');
        await client.query('insert into one values (1), (1)');
      },
    ],
  ])('whose handler %s is a failure of the handler', async (_what, handle) => {
    const { sink, database, shard } = await useLive();
    const { token } = await sink.acquire(shard);

    const committing = sink.commit(shard, token, at(1), async (transaction) => {
      await insert('a')(transaction);
      await handle(transaction.context);
    });

    await expect(committing).rejects.toThrow(HandlerError);
    expect(await ids(database)).toEqual([]);
  });

  it('that loses its connection is a failure of the database, whatever the handler says', async () => {
    const { sink, database, shard } = await useLive();
    const { token } = await sink.acquire(shard);

    const committing = sink.commit(shard, token, at(1), async ({ context: { client } }) => {
      const { rows } = await client.query('select pg_backend_pid() as pid');
      await query(database.directUrl, 'select pg_terminate_backend($1)', [(rows[0] as { pid: number }).pid]);
      await client.query('select 1').catch((error: unknown) => {
        throw new HandlerError(error);
      });
    });

    await expect(committing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await sink.commit(shard, token, at(1), insert('a'));
    expect(await ids(database)).toEqual(['a']);
  });

  it('that is cut after COMMIT was sent is known by the checkpoint', async () => {
    const database = await createDatabase();
    const proxy = await useTcpProxy(database.url);
    const { sink } = await useSink(proxy.url(database.url));
    const [live] = await sink.open({ name, version: 1, shards: 1 }, init);
    const shard = { name, build: (live as ProjectionBuild).build, shard: 0 };
    const { token } = await sink.acquire(shard);

    const cut = proxy.cutAfter(({ sql: [sql = ''] }) => sql.endsWith('commit'));
    const committing = sink.commit(shard, token, at(1), insert('a'));

    await expect(committing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await cut;
    expect(await ids(database)).toEqual(['a']);
    expect(await sink.acquire(shard)).toMatchObject({ checkpoint: { position: 1 } });
  });
});

describe('builds', () => {
  it('are made once, however many make them at the same time', async () => {
    const { sink, pool } = await useSink();
    const other = new PostgresProjectionSink({ pool });

    const opened = await Promise.all(
      [sink, other, sink, other].map((each) => each.open({ name, version: 1, shards: 2 }, init)),
    );

    for (const builds of opened) {
      expect(builds).toEqual([
        {
          name,
          build: 1,
          role: 'live',
          version: 1,
          shards: 2,
          progress: [
            { applied: 0, rate: 0 },
            { applied: 0, rate: 0 },
          ],
        },
      ]);
    }
  });

  it('swap places at once: a reader never sees none, nor a half-built one', async () => {
    const { sink, database, shard } = await useLive();
    const { token } = await sink.acquire(shard);
    await sink.commit(shard, token, at(1), insert('old'));
    const { build } = await sink.begin({ name, version: 2, shards: 1 }, { init, reset: undefined });
    const next = { name, build, shard: 0 };
    const owner = await sink.acquire(next);
    await sink.commit(next, owner.token, at(1), insert('new'));
    const seen = new Set<string>();
    const reader = new pg.Client({ connectionString: database.directUrl });
    await reader.connect();
    onTestFinished(() => reader.end());
    let isDone = false;
    const reading = (async () => {
      while (!isDone) {
        seen.add(
          // A prepared statement, whose plan must follow.
          (
            await reader.query({ name: 'read', text: `select string_agg(id, ',') as ids from ${name}.total` })
          ).rows.map((row: { ids: string }) => row.ids)[0] as string,
        );
      }
    })();
    await expect.poll(() => seen.size).toBe(1);

    await sink.activate(name, build, undefined);
    await expect.poll(() => [...seen]).toEqual(['old', 'new']);
    await sink.activate(name, build, undefined);
    await sink.activate(name, shard.build, undefined);
    isDone = true;
    await reading;

    expect(await ids(database)).toEqual(['old']);
    expect(await ids(database, `${name}__previous`)).toEqual(['new']);
    expect([...seen]).toEqual(['old', 'new']);
    // Who owned it before it was switched writes no more, and whoever takes over goes on with it, wherever it is by now.
    await expect(sink.commit(next, owner.token, at(2), insert('newer'))).rejects.toThrow(OwnershipLostError);
    await sink.commit(next, (await sink.acquire(next)).token, at(2), insert('newer'));
    expect(await ids(database, `${name}__previous`)).toEqual(['new', 'newer']);
  });

  it('hold up neither who applies events nor who asks where it stands while they are verified', async () => {
    const { sink, database, shard } = await useLive();
    const { build } = await sink.begin({ name, version: 2, shards: 1 }, { init, reset: undefined });
    const done: string[] = [];

    await sink.inspect(name, build, async () => {
      const { token } = await sink.acquire(shard);
      await sink.commit(shard, token, at(1), insert('a'));
      expect(await sink.open({ name, version: 2, shards: 1 }, init)).toHaveLength(2);
      done.push('written and opened');
    });

    expect(done).toEqual(['written and opened']);
    expect(await ids(database)).toEqual(['a']);
  });

  it('that were not finished, and the one before the previous, are dropped, and reset is told', async () => {
    const { sink, database, shard } = await useLive();
    const reset: string[] = [];
    const hooks = { init, reset: ({ schema }: SqlProjectionContext) => reset.push(schema) };
    await sink.begin({ name, version: 2, shards: 1 }, hooks);
    const second = await sink.begin({ name, version: 2, shards: 3 }, hooks);
    expect(reset).toEqual([`${name}__next`]);
    await sink.activate(name, second.build, hooks.reset);
    const third = await sink.begin({ name, version: 3, shards: 1 }, hooks);
    await sink.activate(name, third.build, hooks.reset);

    expect(reset).toEqual([`${name}__next`, `${name}__previous`]);
    const schemas = await query(
      database.directUrl,
      `select nspname from pg_namespace where nspname like 'totals%' order by 1`,
    );
    expect(schemas).toEqual([{ nspname: name }, { nspname: `${name}__previous` }]);
    await expect(sink.commit(shard, 1, at(1), insert('late'))).rejects.toThrow(OwnershipLostError);
    await sink.drop(name, second.build, hooks.reset);
    await sink.drop(name, third.build, hooks.reset);
    expect(await sink.open({ name, version: 3, shards: 1 }, init)).toMatchObject([
      { build: third.build, role: 'live' },
    ]);
  });

  it('whose init throws leave nothing behind', async () => {
    const { sink, database } = await useSink();

    await expect(
      sink.open({ name, version: 1, shards: 1 }, async (context) => {
        await init(context);
        throw new HandlerError(new Error('no'), 'init');
      }),
    ).rejects.toThrow('init threw Error: no');

    expect(await query(database.directUrl, `select from pg_namespace where nspname = 'totals'`)).toEqual([]);
  });
});

describe('bad input', () => {
  it.each([['pg_totals'], ['x'.repeat(49)], ['ü'.repeat(30)]])('the name %s is refused', async (bad) => {
    const { sink } = await useSink();
    await expect(sink.open({ name: bad, version: 1, shards: 1 }, undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('hostile names are names', async () => {
    const { sink, database } = await useSink();
    const hostile = `a"; drop table x; --'`;
    const [live] = await sink.open({ name: hostile, version: 1, shards: 1 }, init);
    const shard = { name: hostile, build: (live as ProjectionBuild).build, shard: 0 };
    const { token } = await sink.acquire(shard);
    await sink.commit(shard, token, at(1), insert('a'));
    const rows = await query(database.directUrl, `select id from ${pg.escapeIdentifier(hostile)}.total`);
    expect(rows).toEqual([{ id: 'a' }]);
  });

  it('a role that may not create schemas is told so', async () => {
    const { database } = await useSink();
    const role = await createRole();
    const pool = new pg.Pool({ connectionString: role.as(database.url) });
    onTestFinished(() => pool.end());
    const error: unknown = await new PostgresProjectionSink({ pool })
      .open({ name, version: 1, shards: 1 }, init)
      .catch((e: unknown) => e);
    expect(isEventStoreError(error, 'STORE_ACCESS_DENIED')).toBe(true);
    expect(String(error)).not.toContain(role.password);
  });

  it.each([
    [{}],
    [{ pool: 'postgres://' }],
    [{ pool: {}, schema: 'Bad Schema' }],
    [{ pool: {}, table: 'x' }],
  ])('the options %j are refused', (options) => {
    expect(() => new PostgresProjectionSink(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
