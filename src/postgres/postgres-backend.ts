import type { ClientBase, Pool } from 'pg';
import { UnsafeReadError } from '../core/errors/store-errors.js';
import { AppendQueue } from '../sql/append/append-queue.js';
import { BatchRunner, type MemberOutcome } from '../sql/append/batch-runner.js';
import { ClosablePort } from '../sql/closable-port.js';
import { EventNamespace } from '../sql/event-namespace.js';
import { checkedPort, checkSchema } from '../sql/migrations/checked-port.js';
import { migrateSchema } from '../sql/migrations/migrations.js';
import { retrying } from '../sql/retrying.js';
import type { SqlBackend, SqlStoreLimits } from '../sql/sql-backend.js';
import { statement } from '../sql/sql-port.js';
import { typedErrors } from '../sql/typed-errors.js';
import { AppendNotifications } from './append-notifications.js';
import { createPool, hostsOf, type CheckedOptions } from './connection.js';
import { PoolConnections } from './pool-connections.js';
import { PostgresPort, PreparedStatements } from './postgres-port.js';
import { probeLocks } from './probe-locks.js';
import { TransactionBackend } from './transaction-backend.js';

const anything = statement('select 1');
const rotate = statement(
  'update __schema__.store set store_id = pg_catalog.gen_random_uuid() returning store_id',
);

/** Batches of appends under way at the same time: one is flushed to disk while the next is executed. */
const appendConnections = 3;

interface Pools {
  readonly append: Pool;
  readonly read: Pool;
  /** The number of servers that the pools may lead to. */
  readonly hosts: number;
}

/** A server: pools of connections for appends and for reads, and notifications. */
export class PostgresBackend implements SqlBackend {
  readonly limits: SqlStoreLimits;
  readonly reads: ClosablePort;
  readonly appends: AppendQueue;
  readonly namespace = new EventNamespace();
  readonly notifications: AppendNotifications;

  readonly #options: CheckedOptions;
  readonly #pools: Pools;
  readonly #readPort: PostgresPort;
  readonly #appendPort: PostgresPort;
  /** For transactions of the caller. */
  readonly #statements: PreparedStatements;
  #closing: Promise<void> | undefined;

  /** @throws InvalidArgumentError when the connection string is malformed */
  constructor(options: CheckedOptions) {
    const { schema, maxCommitBytes, retryTimeout, settleTimeout, operationTimeout } = options;
    this.limits = { maxCommitBytes, retryTimeout, settleTimeout };
    this.#options = options;
    this.#pools = poolsOf(options);
    this.#readPort = new PostgresPort(this.#pools.read, options);
    this.#appendPort = new PostgresPort(this.#pools.append, options);
    this.#statements = new PreparedStatements({
      ...options,
      connectionString: undefined,
      preparedStatements: false,
    });
    this.notifications = new AppendNotifications(
      this.#readPort,
      this.#pools.read,
      schema,
      options.notifications,
    );
    const check = (): Promise<void> => checkSchema(this.#readPort, schema, options.onWarning);
    this.reads = new ClosablePort(checkedPort(this.#readPort, check));
    const batches = new BatchRunner(checkedPort(this.#appendPort, check), {
      retryTimeout,
      lockTimeout: operationTimeout,
    });
    this.appends = new AppendQueue(batches, {
      maxConcurrentBatches: appendConnections,
      maxAppends: options.maxQueuedAppends,
      maxBytes: options.maxQueuedBytes,
      onOutcomes: (outcomes) => {
        this.#notify(outcomes);
      },
    });
  }

  /** Waits for an answer, from each host if need be. */
  async connect(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await typedErrors(() => this.#readPort.query(anything, []));
        return;
      } catch (error) {
        // The next connection goes to the next host.
        if (attempt < this.#pools.hosts) continue;
        await this.close();
        throw error;
      }
    }
  }

  /** Checks that all connections lead to one server. If not, a name may have moved: from then on, it uses new ones. */
  async probe(): Promise<void> {
    // A single connection has no other to look from.
    if (this.#options.pool?.options.max === 1) return;
    try {
      await probeLocks(this.#appendPort, this.#readPort);
    } catch (error) {
      if (error instanceof UnsafeReadError) {
        for (const pool of [this.#pools.append, this.#pools.read]) PoolConnections.of(pool).distrust();
      }
      throw error;
    }
  }

  migrate(): Promise<readonly string[]> {
    const { schema, retryTimeout } = this.#options;
    return this.#whileOpen(() =>
      retrying(() => migrateSchema(this.#appendPort, schema), performance.now() + retryTimeout),
    );
  }

  async rotateStoreId(): Promise<string> {
    const [[storeId] = []] = await this.#whileOpen(() => this.#appendPort.query(rotate, []));
    return storeId as string;
  }

  /** The backend of a transaction on the caller's client. */
  inTransaction(client: ClientBase): TransactionBackend {
    return new TransactionBackend(client, this.#statements, new EventNamespace(this.namespace), this.limits);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // The first appends wait for the namespace.
    await this.namespace.close();
    await this.appends.close();
    this.reads.close();
    await this.notifications.close();
    if (this.#options.pool === undefined) {
      await Promise.all([this.#pools.append.end(), this.#pools.read.end()]);
    }
  }

  #notify(outcomes: readonly MemberOutcome[]): void {
    if (outcomes.some(({ status }) => status === 'fulfilled')) this.notifications.notify();
  }

  #whileOpen<T>(run: () => Promise<T>): Promise<T> {
    return typedErrors(() => {
      this.reads.assertOpen();
      return run();
    });
  }
}

function poolsOf(options: CheckedOptions): Pools {
  const { connectionString, pool, maxReadConnections } = options;
  if (pool !== undefined) return { append: pool, read: pool, hosts: 1 };
  const hosts = hostsOf(connectionString as string);
  return {
    append: createPool(hosts, appendConnections),
    read: createPool(hosts, maxReadConnections),
    hosts: hosts.count,
  };
}
