import { Client, escapeIdentifier, escapeLiteral, type QueryResultRow } from 'pg';
import { inject, onTestFinished } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

export interface Database {
  readonly name: string;
  /** As a superuser, through PgBouncer when `POSTGRES_VIA` says so. */
  readonly url: string;
  /** As a superuser, never through a pooler: for sessions, locks and `LISTEN`. */
  readonly directUrl: string;
}

export interface Role {
  readonly name: string;
  readonly password: string;
  /** The same address as this role. */
  as(url: string): string;
}

const leftovers: { databases: string[]; roles: string[] } = { databases: [], roles: [] };

/** Drops what the test file has made. */
export async function dropLeftovers(): Promise<void> {
  const databases = leftovers.databases.splice(0);
  const roles = leftovers.roles.splice(0);
  // Roles last: they may have rights in the databases.
  await administrate([
    ...databases.map((name) => `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`),
    ...roles.map((name) => `DROP ROLE ${escapeIdentifier(name)}`),
  ]);
}

/** An empty database until the end of this test file. */
export async function createDatabase(name = uniqueDatabaseName('test')): Promise<Database> {
  await administrate([`CREATE DATABASE ${escapeIdentifier(name)}`]);
  leftovers.databases.push(name);
  const { url, directUrl } = inject('postgres');
  return { name, url: toDatabase(url, name), directUrl: toDatabase(directUrl, name) };
}

/** A role that may log in, and nothing else, until the end of this test file. */
export async function createRole(name = uniqueDatabaseName('role')): Promise<Role> {
  const password = crypto.randomUUID();
  await administrate([`CREATE ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(password)}`]);
  leftovers.roles.push(name);
  return {
    name,
    password,
    as(address) {
      const url = new URL(address);
      url.username = encodeURIComponent(name);
      url.password = password;
      return url.href;
    },
  };
}

/** A connection until the test finishes. */
export async function connect(url: string): Promise<Client> {
  const client = await open(url);
  onTestFinished(async () => {
    // A connection that a test has broken or stalled may never say goodbye.
    await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  });
  return client;
}

/** A proxy in front of the server of this address until the test finishes. */
export async function useTcpProxy(url: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy(url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The rows of one statement, on a connection of its own. */
export async function query<Row extends QueryResultRow>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = await open(url);
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** The address of another database on the same server. */
function toDatabase(address: string, name: string): string {
  const url = new URL(address);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  // Whoever uses a connection that has ended learns it from the call.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** How many sessions of this database wait for a lock. Those of other tests are in other databases, also where what they wait for has none. */
export async function countLockWaits(url: string): Promise<number> {
  const waiting = await query(
    url,
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return waiting.length;
}

async function administrate(statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  const client = await open(inject('postgres').directUrl);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

function uniqueDatabaseName(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().slice(0, 8)}`;
}
