import { sql as raw } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import {
  HandlerError,
  type ProjectionBuild,
  type ProjectionSink,
  type ShardKey,
  type SinkTransaction,
} from 'temporal-event-store';
import { PGliteProjectionSink } from 'temporal-event-store/pglite';
import { PostgresProjectionSink, type SqlProjectionContext } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPGliteStore } from '../../support/pglite.js';
import { createDatabase, createRole, query, type Database } from '../../support/postgres.js';

interface Client {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}
type Handle = (client: Client) => unknown;
type Context = SqlProjectionContext<Client>;

const name = 'totals';
const hostileRole = 'app';
const init = ({ client }: Context): unknown => client.query('create table total (id text)');
const progress = (position: number) => ({
  checkpoint: { storeId: 'store', position },
  applied: position,
  rate: 0,
});
const insert = (client: Client, id: string): Promise<unknown> =>
  client.query('insert into total values ($1)', [id]);

interface Used {
  readonly sink: ProjectionSink<Context>;
  readonly shard: ShardKey;
  /** Outside of a handler, on the connection that it had. */
  readonly ask: (text: string) => Promise<readonly unknown[]>;
  readonly commit: (position: number, handle: Handle) => Promise<void>;
  readonly stored: () => Promise<readonly unknown[]>;
}

async function use(sink: ProjectionSink<Context>, ask: Used['ask']): Promise<Used> {
  const [live] = await sink.open({ name, version: 1, shards: 1 }, init);
  const shard = { name, build: (live as ProjectionBuild).build, shard: 0 };
  const { token } = await sink.acquire(shard);
  return {
    sink,
    shard,
    ask,
    commit: (position, handle) =>
      sink.commit(shard, token, progress(position), async ({ context }: SinkTransaction<Context>) => {
        try {
          await handle(context.client);
        } catch (error) {
          // As whoever calls handlers does.
          throw new HandlerError(error);
        }
      }),
    stored: async () =>
      (await ask(`select id from ${name}.total order by id`)).map((row) => (row as { id: string }).id),
  };
}

async function usePostgres(address = ({ url }: Database) => url): Promise<Used & { database: Database }> {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: address(database), max: 1 });
  onTestFinished(() => pool.end());
  const ask = async (text: string): Promise<unknown[]> => (await pool.query(text)).rows as unknown[];
  const sink = new PostgresProjectionSink({ pool }) as unknown as ProjectionSink<Context>;
  return { ...(await use(sink, ask)), database };
}

async function usePGlite(): Promise<Used> {
  const store = await openPGliteStore();
  onTestFinished(() => store.close());
  const sink = new PGliteProjectionSink({ store }) as unknown as ProjectionSink<Context>;
  return use(sink, async (text) =>
    store.transaction(async (transaction) => (await transaction.query(text)).rows as unknown[]),
  );
}

const both: [string, () => Promise<Used>][] = [
  ['PostgresProjectionSink', () => usePostgres()],
  ['PGliteProjectionSink', usePGlite],
];

const refused: [string, Handle][] = [
  ['commit', (client) => client.query('commit')],
  ['END;', (client) => client.query('END;')],
  ['commit and chain', (client) => client.query('commit and chain')],
  ['/* so */ commit', (client) => client.query('/* so */ commit')],
  ['rollback', (client) => client.query('rollback')],
  ['abort', (client) => client.query('abort')],
  ['begin isolation level', (client) => client.query('begin isolation level serializable')],
  ['start transaction read only', (client) => client.query('start transaction read only')],
  ['prepare transaction', (client) => client.query(`prepare transaction 'x'`)],
  ['set transaction', (client) => client.query('set transaction read only')],
  ['two at once', async (client) => [await client.query('begin'), await client.query('begin')]],
  ['one that is left open', (client) => client.query('begin')],
  ['set role', (client) => client.query(`set role ${hostileRole}`)],
  ['set session authorization', (client) => client.query(`set session authorization ${hostileRole}`)],
  ['set search_path', (client) => client.query('set search_path = public')],
  ['set local search_path', (client) => client.query('set local search_path = public')],
  ['set_config(search_path)', (client) => client.query(`select set_config('search_path', 'public', true)`)],
  ['set_config of a session', (client) => client.query(`select set_config('app.tenant', 'a', false)`)],
  ['set statement_timeout', (client) => client.query('SET statement_timeout = 1000')],
  ['set local transaction_read_only', (client) => client.query('set local transaction_read_only = on')],
  ['discard all', (client) => client.query('discard all')],
  ['reset all', (client) => client.query('reset all')],
  ['listen', (client) => client.query('listen news')],
  ['unlisten', (client) => client.query('unlisten *')],
  ['prepare', (client) => client.query('prepare one as select 1')],
  ['deallocate', (client) => client.query('deallocate all')],
  ['a cursor that stays', (client) => client.query('declare c cursor with hold for select 1')],
  ['a statement that nobody awaits', (client) => void client.query('select pg_sleep(0.05)')],
];

describe.each(both)('a handler of a %s', (_name, open) => {
  it('is refused what ends the transaction or changes the session, also when it catches that', async () => {
    const { commit, stored, ask, sink, shard } = await open();
    await ask(`create role ${hostileRole}_x`).catch(() => undefined);
    const settings = `select current_setting('search_path') as a, current_setting('statement_timeout') as b, current_user as c`;
    const before = await ask(settings);
    for (const [what, handle] of refused) {
      const failing = commit(1, async (client) => {
        await insert(client, what);
        await Promise.resolve(handle(client)).catch(() => undefined);
        if (!what.startsWith('a statement')) await client.query('select 1');
      });
      await expect(failing, what).rejects.toThrow(HandlerError);
    }
    expect(await stored()).toEqual([]);
    expect(await ask(settings)).toEqual(before);
    expect((await sink.acquire(shard)).checkpoint).toBeUndefined();
  });

  it('is told what it did', async () => {
    const { commit } = await open();
    await expect(commit(1, (client) => client.query('commit'))).rejects.toThrow("'commit' was not sent");
    await expect(commit(1, (client) => client.query('set local search_path = public'))).rejects.toThrow(
      'It changed search_path',
    );
    await expect(commit(1, (client) => client.query('begin'))).rejects.toThrow("didn't end it");
  });

  it('may begin a transaction, and commit it or roll it back', async () => {
    const { commit, stored } = await open();
    await commit(1, async (client) => {
      await insert(client, 'before');
      await client.query('BEGIN');
      await insert(client, 'undone');
      await client.query('rollback;');
      await client.query('start transaction');
      await insert(client, 'within');
      await client.query('savepoint one');
      await insert(client, 'undone, too');
      await client.query('rollback to savepoint one');
      await client.query('commit work');
      await insert(client, `it's; commit; -- $1`);
    });
    expect(await stored()).toEqual(['before', `it's; commit; -- $1`, 'within']);
  });

  it('leaves nothing of the session to others', async () => {
    const { commit, stored, ask } = await open();
    for (const position of [1, 2]) {
      await commit(position, async (client) => {
        await client.query('create temp table total (id text)');
        await client.query(`insert into pg_temp.total values ('temporary')`);
        await insert(client, `${position}`);
        await client.query(`set local statement_timeout = '50s'`);
        await client.query('select pg_advisory_lock(7)');
      });
    }
    expect(await stored()).toEqual(['1', '2']);
    expect(
      await ask(`select current_setting('statement_timeout') as t,
        (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks, to_regclass('pg_temp.total') as kept`),
    ).toEqual([{ t: '0', locks: 0, kept: null }]);
  });

  it('can use its client no longer when it has returned', async () => {
    const { commit, stored } = await open();
    let kept: Client | undefined;
    await commit(1, (client) => void (kept = client));
    await expect(insert(kept as Client, 'late')).rejects.toThrow('over');
    expect(await stored()).toEqual([]);
  });

  it('and hooks are refused the same', async () => {
    const { sink, shard } = await open();
    const hooks = { init: ({ client }: Context) => client.query('commit'), reset: undefined };
    await expect(sink.begin({ name, version: 2, shards: 1 }, hooks)).rejects.toThrow(HandlerError);
    const inspecting = sink.inspect(name, shard.build, ({ client }) =>
      client.query('set local search_path = public'),
    );
    await expect(inspecting).rejects.toThrow('search_path');
  });
});

describe('a handler on a server', () => {
  it('that ends the transaction past its client is an error, and taints no connection', async () => {
    const { commit, ask } = await usePostgres();
    const role = await createRole();
    const around = commit(1, async (client) => {
      const { query } = pg.Client.prototype as unknown as {
        query: (this: unknown, text: string) => Promise<unknown>;
      };
      await query.call(client, `commit; set role "${role.name}"; begin`);
    });
    await expect(around).rejects.toThrow("ended the sink's transaction");
    expect(await ask('select current_user as role')).not.toEqual([{ role: role.name }]);
  });

  it('that sets another role for the transaction is refused, and one that sets it back is not', async () => {
    const { commit, stored } = await usePostgres();
    const role = await createRole();
    await expect(commit(1, (client) => client.query(`set local role "${role.name}"`))).rejects.toThrow(
      'changed role',
    );
    await commit(1, async (client) => {
      await client.query(`set local role "${role.name}"`);
      await client.query(`select set_config('role', 'none', true)`);
      await insert(client, 'a');
    });
    expect(await stored()).toEqual(['a']);
  });

  it('that exceeds statement_timeout has an event to blame', async () => {
    const { commit } = await usePostgres();
    const slow = commit(1, async (client) => {
      await client.query(`set local statement_timeout = '50ms'`);
      await client.query('select pg_sleep(5)');
    });
    await expect(slow).rejects.toThrow(HandlerError);
  });

  it('whose statement somebody cancels has no event to blame', async () => {
    const { commit, database } = await usePostgres();
    const cancelled = commit(1, async (client) => {
      const { rows } = await client.query('select pg_backend_pid() as pid');
      let isAnswered = false;
      const sleeping = client.query('select pg_sleep(20)').finally(() => (isAnswered = true));
      sleeping.catch(() => undefined);
      await expect
        .poll(async () => {
          await query(database.directUrl, 'select pg_cancel_backend($1)', [(rows[0] as { pid: number }).pid]);
          return isAnswered;
        })
        .toBe(true);
      await sleeping;
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('that a library has wrapped the error of is judged by what the server said', async () => {
    const { commit } = await usePostgres();
    const locked = commit(1, async (client) => {
      await drizzle({ client: client as pg.PoolClient }).execute(
        raw`do $$ begin raise exception 'no' using errcode = '40P01'; end $$`,
      );
    });
    await expect(locked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('that does nothing for longer than the server lets a transaction has an event to blame', async () => {
    // A pooler between would say something else.
    const { commit, stored } = await usePostgres(({ directUrl }) => directUrl);
    const idle = commit(1, async (client) => {
      await client.query(`set local idle_in_transaction_session_timeout = '100ms'`);
      await insert(client, 'a');
      await expect
        .poll(
          () =>
            client.query('select 1').then(
              () => 'open',
              () => 'ended',
            ),
          { interval: 300 },
        )
        .toBe('ended');
    });
    await expect(idle).rejects.toThrow('idle_in_transaction_session_timeout');
    expect(await stored()).toEqual([]);
  });

  it('may use Drizzle and Kysely with transactions of theirs', async () => {
    const { commit, stored } = await usePostgres();
    await commit(1, async (client) => {
      const db = drizzle({ client: client as pg.PoolClient });
      await db.transaction(async (tx) => {
        await tx.execute(raw`insert into total values ('drizzle')`);
        await tx
          .transaction(async (inner) => {
            await inner.execute(raw`insert into total values ('inner')`);
            throw new Error('undone');
          })
          .catch(() => undefined);
      });
      await db
        .transaction(async (tx) => {
          await tx.execute(raw`insert into total values ('undone')`);
          throw new Error('undone');
        })
        .catch(() => undefined);
      const kysely = new Kysely<{ total: { id: string } }>({
        dialect: new PostgresDialect({
          pool: { connect: async () => client as pg.PoolClient, end: async () => undefined },
        }),
      });
      await kysely.insertInto('total').values({ id: 'kysely' }).execute();
      await kysely
        .transaction()
        .execute((tx) => tx.insertInto('total').values({ id: 'kysely, too' }).execute());
      await kysely
        .transaction()
        .execute(async (tx) => {
          await tx.insertInto('total').values({ id: 'undone' }).execute();
          throw new Error('undone');
        })
        .catch(() => undefined);
    });
    expect(await stored()).toEqual(['drizzle', 'kysely', 'kysely, too']);
    const strict = commit(2, (client) =>
      drizzle({ client: client as pg.PoolClient }).transaction(async () => undefined, {
        isolationLevel: 'serializable',
      }),
    );
    await expect(strict).rejects.toThrow('isolation level');
  });

  it('may give callbacks, configurations and objects of queries', async () => {
    const { commit, stored } = await usePostgres();
    await commit(1, async (client) => {
      const own = client as unknown as pg.PoolClient;
      await new Promise<void>((resolve, reject) => {
        own.query('insert into total values ($1)', ['callback'], (error) => {
          if (error == null) resolve();
          else reject(error);
        });
      });
      await own.query({ text: 'insert into total values ($1)', values: ['config'] });
      await new Promise<void>((resolve) => {
        own.query(
          new (pg as unknown as { Query: new (...args: unknown[]) => pg.Submittable }).Query(
            `insert into total values ('object')`,
            resolve,
          ),
        );
      });
    });
    expect(await stored()).toEqual(['callback', 'config', 'object']);
    const inCallback = commit(2, async (client) => {
      await new Promise<void>((resolve) => {
        (client as unknown as pg.PoolClient).query('commit', () => {
          resolve();
        });
      });
    });
    await expect(inCallback).rejects.toThrow("'commit' was not sent");
    const ended = commit(2, (client) => (client as unknown as pg.Client).end());
    await expect(ended).rejects.toThrow(HandlerError);
  });
});
