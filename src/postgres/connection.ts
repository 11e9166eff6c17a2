import pg, { type Client, type Pool } from 'pg';
import { InvalidArgumentError } from '../core/errors/invalid-argument-error.js';
import {
  assertOptions,
  integerFrom,
  isFunction,
  isPlainObject,
  type OptionCheck,
} from '../core/options/options.js';
import { defaultMaxCommitBytes } from '../core/store/append/prepare-events.js';
import { defaultMaxQueuedAppends, defaultMaxQueuedBytes } from '../sql/append/append-queue.js';
import { assertSchemaName, defaultSchema } from '../sql/schema-name.js';
import { watchClient } from './client-facts.js';
import { Hosts } from './hosts.js';
import { clientClassOf } from './pg-internals.js';
import type { PgClient, PgPool } from './pg-types.js';
import { PoolConnections } from './pool-connections.js';
import { storeClient } from './store-client.js';

/** How to reach the database: one of `connectionString` and `pool`. */
export interface PostgresEventStoreOptions {
  /**
   * As `pg` takes it: `postgres://user:password@host:port/database`. If it names several hosts, separated by commas as
   * in libpq, the store finds the one that takes writes (`target_session_attrs`: `read-write`, `primary` or `any`).
   */
  readonly connectionString?: string;
  /** A pool of yours. It stays open when the store is closed. Appends use at most three of its connections at a time. */
  readonly pool?: PgPool;
  /** Default `event_store`. */
  readonly schema?: string;
  /** Most connections for reading. Default 8. Appends have three of their own. Not with a `pool`. */
  readonly maxReadConnections?: number;
  /** Most bytes of JSON in one commit. Default 2,000,000. */
  readonly maxCommitBytes?: number;
  /** Most appends that wait for a connection; one more is STORE_OVERLOADED. Default 10,000. */
  readonly maxQueuedAppends?: number;
  /**
   * Most bytes that appends take while they wait for a connection, counted as two for each character of their JSON; one more is
   * STORE_OVERLOADED. Default 128,000,000.
   */
  readonly maxQueuedBytes?: number;
  /** Milliseconds after which a statement without an answer is given up together with its connection. Default 15,000. */
  readonly operationTimeout?: number;
  /**
   * Milliseconds for which a call is repeated while the database can't be reached, an append under the same commit id;
   * then STORE_UNAVAILABLE. Default 5,000; 0 repeats nothing.
   */
  readonly retryTimeout?: number;
  /** Most milliseconds that `readAll` waits for an append that is under way and may commit a lower position. Default 30,000. */
  readonly settleTimeout?: number;
  /** Whether to prepare statements by name. Default true; the store notices by itself when a pooler can't. */
  readonly preparedStatements?: boolean;
  /**
   * Whether to wake subscriptions of other processes, and be woken, by LISTEN and NOTIFY. Default true. Takes a
   * connection of its own while there are subscriptions. Set it to false behind a pooler in transaction mode: LISTEN
   * has no effect there.
   */
  readonly notifications?: boolean;
  /** Called for settings that work but are dangerous. Default: `process.emitWarning`. */
  readonly onWarning?: (warning: string) => void;
}

export type CheckedOptions = Required<Omit<PostgresEventStoreOptions, 'connectionString' | 'pool'>> & {
  readonly connectionString: string | undefined;
  readonly pool: Pool | undefined;
};

const isBoolean: OptionCheck = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
const isText: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a non-empty string';

/** @throws InvalidArgumentError, never with the connection string in it */
export function checkConnectionOptions(options: PostgresEventStoreOptions = {}): CheckedOptions {
  assertOptions('PostgresEventStore.connect', options, {
    connectionString: isText,
    pool: isPlainObject,
    schema: () => undefined,
    maxReadConnections: integerFrom(1),
    maxCommitBytes: integerFrom(1),
    maxQueuedAppends: integerFrom(1),
    maxQueuedBytes: integerFrom(1),
    operationTimeout: integerFrom(1),
    retryTimeout: integerFrom(0),
    settleTimeout: integerFrom(1),
    preparedStatements: isBoolean,
    notifications: isBoolean,
    onWarning: isFunction,
  });
  const { connectionString, pool, schema = defaultSchema } = options;
  if ((connectionString === undefined) === (pool === undefined)) {
    throw new InvalidArgumentError(
      'PostgresEventStore.connect needs a connectionString or a pool, one of the two.',
    );
  }
  assertSchemaName(schema);
  return {
    connectionString,
    pool: pool as Pool | undefined,
    schema,
    maxReadConnections: options.maxReadConnections ?? 8,
    maxCommitBytes: options.maxCommitBytes ?? defaultMaxCommitBytes,
    maxQueuedAppends: options.maxQueuedAppends ?? defaultMaxQueuedAppends,
    maxQueuedBytes: options.maxQueuedBytes ?? defaultMaxQueuedBytes,
    operationTimeout: options.operationTimeout ?? 15_000,
    retryTimeout: options.retryTimeout ?? 5_000,
    settleTimeout: options.settleTimeout ?? 30_000,
    preparedStatements: options.preparedStatements ?? true,
    notifications: options.notifications ?? true,
    onWarning:
      options.onWarning ??
      ((warning) => {
        process.emitWarning(warning, { type: 'EventStoreWarning' });
      }),
  };
}

/** Milliseconds within which a connection must be made; several hosts share them. */
const connectTimeout = 5_000;
const leastConnectTimeout = 1_000;
/** Seconds after which a connection is replaced: its host name may have moved to another server. */
const maxLifetime = 600;

/** Milliseconds to wait for a connection of a pool. */
export function poolTimeoutOf({ operationTimeout }: Pick<CheckedOptions, 'operationTimeout'>): number {
  return Math.min(connectTimeout, operationTimeout);
}

/** @throws InvalidArgumentError when the connection string is malformed */
export function hostsOf(connectionString: string): Hosts {
  try {
    const hosts = new Hosts(connectionString);
    // Parses the connection string now; the pool would do so only at its first connection.
    for (const host of hosts.all) new pg.Client(host);
    return hosts;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError(
      'The connection string is malformed (it is not shown, since it may hold a password). It looks like postgres://user:password@host:5432/database, with special characters percent-encoded; several hosts are separated by commas.',
    );
  }
}

export function createPool(hosts: Hosts, max: number): Pool {
  return new pg.Pool({
    connectionString: hosts.current,
    Client: storeClient(hosts),
    max,
    connectionTimeoutMillis: Math.max(leastConnectTimeout, Math.floor(connectTimeout / hosts.count)),
    maxLifetimeSeconds: maxLifetime,
  });
}

/**
 * A pool of `pg` for a projection sink, or for queries of yours. Like a store's connections, its connections lead to
 * the one of several hosts that takes writes; `pg` alone takes one host. The pool is yours to end.
 *
 * @param options.connectionString as `PostgresEventStore.connect` takes it
 * @param options.max most connections; default 10
 * @throws InvalidArgumentError for a missing, unknown or malformed option
 * @example
 * const pool = createPostgresPool({ connectionString: 'postgres://app@one,two/orders' });
 * const sink = new PostgresProjectionSink({ pool });
 */
export function createPostgresPool(options: {
  readonly connectionString: string;
  readonly max?: number;
}): PgPool & PgClient & { end(): Promise<void> } {
  assertOptions('createPostgresPool', options, { connectionString: isText, max: integerFrom(1) }, [
    'connectionString',
  ]);
  const pool = createPool(hostsOf(options.connectionString), options.max ?? 10);
  PoolConnections.of(pool);
  return pool;
}

/** A client like those of a pool, but outside the pool. */
export function createClientLike(pool: Pool): Client {
  const { options } = pool;
  const ClientOfPool = clientClassOf(pool);
  const client = new ClientOfPool({
    ...options,
    // `pg` hides the password from the copy.
    ...(options.password !== undefined && { password: options.password }),
    connectionTimeoutMillis: options.connectionTimeoutMillis ?? connectTimeout,
  });
  watchClient(client, performance.now());
  return client;
}
