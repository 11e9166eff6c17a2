import pg from 'pg';
import type { ParkedEvent, RecordedEvent } from 'temporal-event-store';
import { PostgresEventStore, PostgresProjectionSink, grantScript } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, createRole, query, type Database, type Role } from '../../support/postgres.js';
import { expectToAppend, fillSurface, readSurface } from '../../support/surface.js';
import { expectTypedError } from '../../support/typed-error.js';

const happened = [{ type: 'Happened', data: {} }];

let database: Database;
let reader: PostgresEventStore;
beforeAll(async () => {
  database = await createDatabase();
  reader = await PostgresEventStore.connect({ connectionString: database.url });
  await reader.migrate();
  await fillSurface(reader);
  return () => reader.close();
});

/** A role of the application's that has settings of its own in the database. */
async function createRoleWith(settings: Readonly<Record<string, string>>): Promise<Role> {
  const role = await createRole();
  await query(database.directUrl, grantScript('event_store', role.name));
  await query(database.directUrl, `grant create on database "${database.name}" to "${role.name}"`);
  for (const [name, value] of Object.entries(settings)) {
    const set = `alter role "${role.name}" in database "${database.name}" set ${name} = ${value}`;
    await query(database.directUrl, set);
  }
  return role;
}

async function useStoreWith(
  settings: Readonly<Record<string, string>>,
  retryTimeout = 0,
): Promise<PostgresEventStore> {
  const { as } = await createRoleWith(settings);
  const store = await PostgresEventStore.connect({ connectionString: as(database.url), retryTimeout });
  onTestFinished(() => store.close());
  return store;
}

describe('a session with', () => {
  test.each<Record<string, string>>([
    { datestyle: `'SQL, DMY'`, intervalstyle: 'sql_standard' },
    { datestyle: `'German, MDY'`, intervalstyle: 'postgres_verbose' },
    { datestyle: `'Postgres, YMD'`, intervalstyle: 'iso_8601' },
    { extra_float_digits: '-15' },
    { extra_float_digits: '3', bytea_output: 'escape' },
    // Zones that give the abbreviations in ISO 8601 another meaning.
    { timezone: `'Z5'` },
    { timezone: `'<T>5'` },
    { timezone: `'UTC5'` },
    { timezone: `'Asia/Kathmandu'` },
    { standard_conforming_strings: 'off', backslash_quote: 'off' },
    { array_nulls: 'off', transform_null_equals: 'on' },
    { quote_all_identifiers: 'on', row_security: 'off', check_function_bodies: 'off' },
    { search_path: `''` },
    { search_path: `'pg_temp', public, pg_catalog` },
    { plan_cache_mode: 'force_generic_plan', enable_indexscan: 'off', enable_bitmapscan: 'off' },
    { plan_cache_mode: 'force_custom_plan', enable_seqscan: 'off', enable_sort: 'off' },
    { statement_timeout: `'10s'`, lock_timeout: `'10s'`, idle_in_transaction_session_timeout: `'10s'` },
    { default_transaction_deferrable: 'on', xmloption: 'document', client_min_messages: 'debug5' },
  ])('%j reads and appends the same', async (settings) => {
    const store = await useStoreWith(settings);

    expect(await readSurface(store)).toEqual(await readSurface(reader));
    await expectToAppend(store, reader, `Of-${crypto.randomUUID()}`);
  });

  test.each(['repeatable read', 'serializable'])(
    'default_transaction_isolation %s is refused by its name',
    async (isolation) => {
      const store = await useStoreWith({ default_transaction_isolation: `'${isolation}'` });

      for (const call of [() => store.appendToStream('A-1', happened), () => store.readAll()]) {
        await expectTypedError(call(), {
          code: 'INVALID_ARGUMENT',
          says: `^default_transaction_isolation is ${isolation}: `,
        });
      }
    },
  );

  test('default_transaction_read_only reads, and is told by name to who appends', async () => {
    const store = await useStoreWith({ default_transaction_read_only: 'on' });

    expect(await readSurface(store)).toEqual(await readSurface(reader));
    await expectTypedError(store.appendToStream('A-1', happened), {
      code: 'STORE_UNAVAILABLE',
      says: /default_transaction_read_only/,
    });
  });

  test('a short statement_timeout is told by name', async () => {
    await expectTypedError(
      (async () => {
        const store = await useStoreWith({ statement_timeout: `'1ms'` });
        for (;;) await store.readAll({ filter: { types: ['Booked'] } });
      })(),
      { code: 'STORE_UNAVAILABLE', says: /statement timeout/ },
    );
  });

  test('settings of all kinds projects the same', async () => {
    const role = await createRoleWith({
      ...{ datestyle: `'SQL, DMY'`, extra_float_digits: '-15', timezone: `'UTC5'`, array_nulls: 'off' },
      ...{
        standard_conforming_strings: 'off',
        search_path: `''`,
        default_transaction_isolation: 'serializable',
      },
    });
    await expectToProject(new pg.Pool({ connectionString: role.as(database.url) }), 'of_settings');
  });
});

/** Projects, and is told the same that was told. */
async function expectToProject(pool: pg.Pool, name: string): Promise<void> {
  onTestFinished(() => pool.end());
  const sink = new PostgresProjectionSink({ pool, schema: `sink_${name}` });
  const [live] = await sink.open({ name, version: 3, shards: 1 }, ({ client }) =>
    client.query('create table seen (id text)'),
  );
  const shard = { name, build: live!.build, shard: 0 };
  const { token } = await sink.acquire(shard);
  const [first, second] = (await reader.readStream('Session-ü')).events;
  const progress = {
    checkpoint: { storeId: `\\'`, position: Number.MAX_SAFE_INTEGER },
    applied: 7,
    rate: 0.1 + 0.2,
  };
  const before = Date.now();
  await sink.commit(shard, token, progress, async ({ context, park }) => {
    expect(context.schema).toBe(name);
    await context.client.query('insert into seen values (1)');
    await park({ event: first!, error: `\\'ü`, attempts: 1 });
    await park({ event: second!, error: 'no', attempts: 2 });
  });

  const parked = await sink.parked(name, shard.build, 10);
  expect(parked).toMatchObject([
    { event: placeOf(first!), error: `\\'ü`, attempts: 1, status: 'parked' },
    { event: placeOf(second!), error: 'no', attempts: 2, status: 'parked' },
  ]);
  for (const { parkedAt } of parked) {
    expect(new Date(parkedAt).toISOString()).toBe(parkedAt);
    expect(Math.abs(Date.parse(parkedAt) - before)).toBeLessThan(60_000);
  }
  const places = { streams: ['Session-ü'], retrying: [], skipped: [], blocking: [] };
  expect(await sink.acquire(shard)).toEqual({ ...progress, token: token + 1, parked: places });
  await sink.decide(name, shard.build, { action: 'retry', eventId: first!.id });
  expect(await sink.nextRetried(shard, 'Session-ü')).toEqual(first);
  expect(await sink.open({ name, version: 3, shards: 1 }, undefined)).toEqual([
    { name, build: 1, role: 'live', version: 3, shards: 1, progress: [progress] },
  ]);
}

/** What is told of an event that was parked. */
function placeOf({ id, streamId, version, position, type }: RecordedEvent): ParkedEvent['event'] {
  return { id, streamId, version, position, type };
}

/** A store on a pool of the caller's. */
async function useStoreOn(pool: pg.Pool): Promise<PostgresEventStore> {
  onTestFinished(() => pool.end());
  const store = await PostgresEventStore.connect({ pool, retryTimeout: 0 });
  onTestFinished(() => store.close());
  return store;
}

/** `pg` takes it; its types don't know. */
type PoolConfig = pg.PoolConfig & { readonly binary?: boolean };

type Oid = Parameters<typeof pg.types.setTypeParser>[0];

interface Config {
  text?: string | undefined;
  name?: string | undefined;
  callback?: unknown;
}

/** A class of clients whose queries something looks at, or changes. */
function clientsThat(
  query: (original: (...args: unknown[]) => unknown, config: Config, rest: unknown[]) => unknown,
): new (config?: pg.ClientConfig) => pg.Client {
  return class extends pg.Client {
    override query(config: unknown, ...rest: unknown[]): never {
      const original = (...args: unknown[]): unknown => super.query(...(args as [string]));
      return (
        typeof config === 'object' ? query(original, config as Config, rest) : original(config, ...rest)
      ) as never;
    }
  };
}

let comments = 0;

describe('a pool of the caller', () => {
  const kinds: readonly (readonly [what: string, options: () => PoolConfig])[] = [
    ['with binary results', () => ({ binary: true })],
    ['with parsers of its own', () => ({ types: { getTypeParser: () => () => ({ not: 'this' }) } })],
    [
      'that copies queries without a name, to write a comment into them',
      () => ({
        Client: clientsThat((original, config, rest) =>
          original(
            config.name === undefined ? { ...config, text: `${config.text ?? ''} /* traced */` } : config,
            ...rest,
          ),
        ),
      }),
    ],
    [
      'that writes another comment into each query',
      () => ({
        Client: clientsThat((original, config, rest) =>
          original({ ...config, text: `${config.text ?? ''} /* ${comments++} */` }, ...rest),
        ),
      }),
    ],
    [
      'that writes into the text of the query itself',
      () => ({
        Client: clientsThat((original, config, rest) =>
          original(Object.assign(config, { text: `${config.text ?? ''} /* ${comments++} */` }), ...rest),
        ),
      }),
    ],
    [
      'that awaits each query',
      () => ({
        Client: clientsThat(async (original, config, rest) => {
          const result: unknown = await original(config, ...rest);
          return result;
        }),
      }),
    ],
    [
      'that copies queries and gives a promise in place of the callback',
      () => ({
        Client: clientsThat((original, { callback: _, ...config }, rest) => original(config, ...rest)),
      }),
    ],
    [
      'that wraps the callback',
      () => ({
        Client: clientsThat((original, config, rest) => {
          const { callback } = config as { callback?: (...args: unknown[]) => void };
          if (callback !== undefined) {
            config.callback = (...args: unknown[]) => setImmediate(callback, ...args);
          }
          return original(config, ...rest);
        }),
      }),
    ],
  ];

  test.each(kinds)('%s reads and appends the same', async (_what, options) => {
    const pool = new pg.Pool({ connectionString: database.url, max: 4, ...options() });
    const store = await useStoreOn(pool);

    expect(await store.migrate()).toEqual([]);
    expect(await readSurface(store)).toEqual(await readSurface(reader));
    await expectToAppend(store, reader, `Of-${crypto.randomUUID()}`);
    const unprepared = await PostgresEventStore.connect({ pool, preparedStatements: false });
    onTestFinished(() => unprepared.close());
    expect(await readSurface(unprepared)).toEqual(await readSurface(reader));

    const client = await pool.connect();
    await client.query('begin');
    const inTransaction = store.inTransaction(client);
    await expectToAppend(inTransaction, inTransaction, `Of-${crypto.randomUUID()}`);
    await client.query('rollback');
    client.release();
  });

  test.each(kinds)('%s projects the same', async (_what, options) => {
    const pool = new pg.Pool({ connectionString: database.url, max: 2, ...options() });
    await expectToProject(pool, `p_${crypto.randomUUID().slice(0, 8)}`);
  });

  test('of a pg whose parsers the application has replaced reads, appends and projects the same', async () => {
    const { builtins, getTypeParser, setTypeParser } = pg.types;
    const parsers = Object.values(builtins as Record<string, Oid>).map(
      (oid) => [oid, getTypeParser(oid) as (text: string) => unknown] as const,
    );
    onTestFinished(() => {
      for (const [oid, parser] of parsers) setTypeParser(oid, parser);
    });
    const pool = new pg.Pool({ connectionString: database.url });
    const store = await useStoreOn(pool);
    for (const [oid] of parsers) setTypeParser(oid, () => ({ not: 'this' }));

    expect(await readSurface(store)).toEqual(await readSurface(reader));
    await expectToAppend(store, reader, `Of-${crypto.randomUUID()}`);
    await expectToProject(new pg.Pool({ connectionString: database.url }), 'of_parsers');
  });

  test('whose clients are objects of somebody else reads and appends the same', async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    const clients: pg.PoolClient[] = [];
    pool.on('connect', (client) => clients.push(client));
    const wrapped = Object.create(pool) as pg.Pool;
    wrapped.connect = ((callback: (error: Error | undefined, client: unknown, release: unknown) => void) => {
      pool.connect((error, client, release) => {
        if (client === undefined) {
          callback(error, undefined, release);
          return;
        }
        callback(
          undefined,
          {
            query: (...args: [string]) => client.query(...args),
            release: (destroy?: boolean) => {
              client.release(destroy);
            },
            on: (...args: ['error', () => void]) => client.on(...args),
            off: (...args: ['error', () => void]) => client.off(...args),
          },
          release,
        );
      });
    }) as never;
    onTestFinished(() => pool.end());
    const store = await PostgresEventStore.connect({ pool: wrapped, notifications: false });
    onTestFinished(() => store.close());

    expect(await readSurface(store)).toEqual(await readSurface(reader));
    await expectToAppend(store, reader, `Of-${crypto.randomUUID()}`);
    // That of the store and that of the pool: however often a client was wrapped.
    for (const client of clients) expect(client.listenerCount('error')).toBeLessThan(4);
  });

  test.each<[what: string, options: PoolConfig]>([
    [
      'whose binary queries are copied',
      { binary: true, Client: clientsThat((original, config, rest) => original({ ...config }, ...rest)) },
    ],
    [
      'whose queries lose their types',
      {
        Client: clientsThat((original, config) =>
          original({ text: config.text, values: (config as { values?: unknown }).values }),
        ),
      },
    ],
  ])('%s is refused, with what to leave', async (_what, options) => {
    const pool = new pg.Pool({ connectionString: database.url, ...options });
    onTestFinished(() => pool.end());

    const reading = async (): Promise<unknown> => {
      const store = await PostgresEventStore.connect({ pool, retryTimeout: 0 });
      onTestFinished(() => store.close());
      return store.readStream('Session-ü');
    };

    await expectTypedError(reading(), {
      code: 'INVALID_ARGUMENT',
      says: /not arrive as the text.*'types', 'rowMode' and 'binary'.*'binary: true'/,
    });
  });

  test('of pg.native is refused', async () => {
    class NativeClient extends pg.Client {
      // It has `submit`, and nothing that rows are given to.
      static readonly Query = class {
        submit = (): void => undefined;
      };
    }
    const pool = new pg.Pool({ connectionString: database.url, Client: NativeClient });
    onTestFinished(() => pool.end());

    await expectTypedError(PostgresEventStore.connect({ pool }), {
      code: 'INVALID_ARGUMENT',
      says: /pg\.native/,
    });
  });
});

describe('client_encoding', () => {
  const latin = `set client_encoding = 'LATIN1'`;
  const refused = { code: 'INVALID_ARGUMENT', says: /^client_encoding is LATIN1 on a connection of yours/ };

  test('that a pool sets when it connects is refused by its name', async () => {
    const pool = new pg.Pool({ connectionString: database.directUrl });
    pool.on('connect', (client) => void client.query(latin));
    onTestFinished(() => pool.end());

    await expectTypedError(PostgresEventStore.connect({ pool }), refused);
    const sink = new PostgresProjectionSink({ pool });
    await expectTypedError(sink.open({ name: 'latin', version: 1, shards: 1 }, undefined), refused);
  });

  test('that somebody sets later is refused, with nothing stored', async () => {
    const pool = new pg.Pool({ connectionString: database.directUrl, max: 1 });
    const store = await useStoreOn(pool);
    await store.appendToStream('Latin-1', happened);

    await pool.query(latin);
    await expectTypedError(store.appendToStream('Latin-1', happened), refused);

    await pool.query(`set client_encoding = 'UTF8'`);
    expect(await store.appendToStream('Latin-1', happened)).toMatchObject({ version: 2 });
  });

  test('of a transaction of the caller is refused', async () => {
    const client = new pg.Client(database.directUrl);
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query(latin);

    await expectTypedError(reader.inTransaction(client).appendToStream('Latin-2', happened), refused);
  });
});
