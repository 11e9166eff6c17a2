import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { PostgresEventStore, type PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/free-port.js';
import { createDatabase, createRole, query, type Database } from '../../support/postgres.js';
import { expectTypedError } from '../../support/typed-error.js';

const secret = 's3cret/π@:?#';
const happened = [{ type: 'Happened', data: {} }];

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
});

/** The address of the database with other parts. */
function addressWith(
  parts: Partial<Pick<URL, 'hostname' | 'port' | 'username' | 'password' | 'pathname'>>,
): string {
  return Object.assign(new URL(database.url), { password: encodeURIComponent(secret), ...parts }).href;
}

describe('connecting', () => {
  test.each<[what: string, address: () => string | Promise<string>, code: string, says: RegExp]>([
    [
      'a port where nobody listens',
      async () => addressWith({ hostname: '127.0.0.1', port: String(await freePort()) }),
      'STORE_UNAVAILABLE',
      /can't be reached.*ECONNREFUSED.*Try again/,
    ],
    [
      'a host that does not exist',
      () => addressWith({ hostname: 'nowhere.invalid' }),
      'STORE_UNAVAILABLE',
      /can't be reached.*nowhere\.invalid.*Try again/,
    ],
    [
      'a server that speaks another language',
      async () => addressWith({ hostname: '127.0.0.1', port: String(await startStranger()) }),
      'STORE_UNAVAILABLE',
      /can't be reached or can't answer.*Try again/,
    ],
    [
      'a wrong password',
      () => addressWith({}),
      'STORE_ACCESS_DENIED',
      /authentication failed.*Check the credentials/,
    ],
    [
      'a role that does not exist',
      () => addressWith({ username: 'nobody' }),
      'STORE_ACCESS_DENIED',
      /Check the credentials/,
    ],
    [
      'no password',
      () => addressWith({ password: '' }),
      'STORE_ACCESS_DENIED',
      /password.*Check the credentials/,
    ],
    [
      'a database that does not exist',
      () => Object.assign(new URL(database.url), { pathname: '/not_there' }).href,
      'STORE_UNAVAILABLE',
      /database "not_there" does not exist/,
    ],
  ])('to %s is a typed error without the password', async (_, address, code, says) => {
    const connectionString = await address();
    const { password } = new URL(connectionString);

    await expectTypedError(PostgresEventStore.connect({ connectionString }), {
      code,
      says,
      secrets: [secret, connectionString, ...(password === '' ? [] : [password])],
    });
  });

  test('without a password leaves no connection behind', async () => {
    const connectionString = Object.assign(new URL(database.directUrl), { password: '' }).href;
    await expect(PostgresEventStore.connect({ connectionString })).rejects.toThrow('password');

    await expect
      .poll(() =>
        query(
          database.directUrl,
          `select from pg_stat_activity where backend_type = 'client backend'
        and datname = current_database() and pid <> pg_backend_pid()`,
        ),
      )
      .toEqual([]);
  });

  test('as a role with no connection left is a typed error', async () => {
    const role = await createRole();
    await query(database.directUrl, `alter role "${role.name}" connection limit 0`);

    await expectTypedError(PostgresEventStore.connect({ connectionString: role.as(database.directUrl) }), {
      code: 'STORE_UNAVAILABLE',
      says: /too many connections for role/,
      secrets: [role.password],
    });
  });

  test('as a role that may not log in is a typed error', async () => {
    const role = await createRole();
    await query(database.directUrl, `alter role "${role.name}" nologin`);

    await expectTypedError(PostgresEventStore.connect({ connectionString: role.as(database.directUrl) }), {
      code: 'STORE_ACCESS_DENIED',
      says: /not permitted to log in.*Check the credentials/,
      secrets: [role.password],
    });
  });

  test.each([
    ['an escape that is none', `postgres://user:${secret}%zz@localhost/db`],
    ['a port that is no number', `postgres://user:${encodeURIComponent(secret)}@localhost:port/db`],
    ['a port out of range', `postgres://user:${encodeURIComponent(secret)}@localhost:99999/db`],
    ['brackets that do not close', `postgres://user:${encodeURIComponent(secret)}@[::1/db`],
    [
      'a file of certificates that is not there',
      `postgres://user:s3cret@localhost/db?sslrootcert=/not/there`,
    ],
  ])('with %s in the connection string is refused without showing it', async (_, connectionString) => {
    await expectTypedError(PostgresEventStore.connect({ connectionString }), {
      code: 'INVALID_ARGUMENT',
      says: /^The connection string is malformed.*postgres:\/\/user:password@host/,
      secrets: [secret, connectionString, 's3cret'],
    });
  });

  const good = `postgres://user:s3cret@localhost/db`;
  test.each<[what: string, options: unknown]>([
    ['no options', undefined],
    ['a string in place of the options', good],
    ['neither an address nor a pool', {}],
    ['both an address and a pool', { connectionString: good, pool: new pg.Pool() }],
    ['an empty connection string', { connectionString: '' }],
    ['an address that is no string', { connectionString: new URL(good) }],
    ['a pool that is an address', { pool: good }],
    ['an unknown option', { connectionString: good, url: good }],
    ['no connections', { connectionString: good, maxReadConnections: 0 }],
    ['a timeout of text', { connectionString: good, operationTimeout: '1s' }],
    ['a switch of text', { connectionString: good, notifications: 'no' }],
    ['a listener that is no function', { connectionString: good, onWarning: true }],
  ])('with %s is refused', async (_, options) => {
    await expectTypedError(PostgresEventStore.connect(options as PostgresEventStoreOptions), {
      code: 'INVALID_ARGUMENT',
      says: /PostgresEventStore\.connect/,
      secrets: ['s3cret'],
    });
  });
});

describe('a pool of the caller', () => {
  test('with no connection left is a typed error, and works once there is one', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    const store = await PostgresEventStore.connect({ pool, schema: 'of_pool', retryTimeout: 0 });
    await store.migrate();
    const client = await pool.connect();
    // Not before there is a connection: to open one takes longer on a busy machine.
    pool.options.connectionTimeoutMillis = 50;

    await expectTypedError(store.readAll(), {
      code: 'STORE_UNAVAILABLE',
      says: /no free connection for 50 ms: all 1 are in use.*raise the pool's max/,
    });
    const error = await expectTypedError(store.appendToStream('A-1', happened, { commitId: 'mine' }), {
      code: 'STORE_UNAVAILABLE',
      says: /send it again with its commit id 'mine'/,
    });
    expect(error).toMatchObject({ commitId: 'mine' });

    client.release();
    await store.appendToStream('A-1', happened);
    expect((await store.readAll()).events).toHaveLength(1);
  });

  test('stays open when the store is closed', async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    onTestFinished(() => pool.end());
    const store = await PostgresEventStore.connect({ pool });

    await store.close();

    expect((await pool.query('select 1')).rowCount).toBe(1);
  });
});

/** A server that answers everybody as one of HTTP does. */
async function startStranger(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
