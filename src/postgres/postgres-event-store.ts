import type { ClientBase, Pool } from 'pg';
import { UnsafeReadError } from '../core/errors/store-errors.js';
import type { ReaderHints, StoreCapabilities } from '../core/store/capabilities.js';
import type { EventStore } from '../core/store/event-store.js';
import { AppendQueue, closedStore } from '../sql/append-queue.js';
import { checkedPort, checkSchema } from '../sql/checked-port.js';
import { EventNamespace } from '../sql/event-namespace.js';
import { migrateSchema } from '../sql/migrations.js';
import { retrying } from '../sql/retrying.js';
import { createBatchRunner } from '../sql/run-batch.js';
import { translateSqlError } from '../sql/sql-errors.js';
import { SqlEventStore } from '../sql/sql-event-store.js';
import { statement, type SqlPort } from '../sql/sql-port.js';
import { AppendNotifications } from './append-notifications.js';
import {
  checkConnectionOptions,
  createPool,
  hostsOf,
  type CheckedOptions,
  type PostgresEventStoreOptions,
} from './connection.js';
import type { PgClient } from './pg-types.js';
import { PoolConnections } from './pool-connections.js';
import { PostgresPort, PreparedStatements } from './postgres-port.js';
import { probeLocks } from './probe-locks.js';
import { createTransactionStore } from './transaction-store.js';

const anything = statement('select 1');
const rotate = statement(
  'update __schema__.store set store_id = pg_catalog.gen_random_uuid() returning store_id',
);

/** Batches of appends that are under way at the same time: one is flushed to disk while the next is executed. */
const appendConnections = 3;

/**
 * The event store in PostgreSQL 14 or newer, where the truth is.
 *
 * Appends that are made at the same time are committed together, each with an outcome of its own. A call that the
 * connection is lost in is repeated under the same commit id. Reads in order lose nothing that commits late; see
 * docs/decisions/0006.
 *
 * Every method throws, beside the errors of {@link EventStore}: StoreUnavailableError, StoreAccessDeniedError,
 * SchemaOutdatedError, StoreOverloadedError (appends) and StoreClosedError.
 *
 * @example
 * const store = await PostgresEventStore.connect({ connectionString: 'postgres://localhost/orders' });
 * await store.migrate();
 * await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectedVersion: 'noStream' });
 * await store.close();
 */
export class PostgresEventStore extends SqlEventStore implements EventStore, StoreCapabilities, ReaderHints {
  readonly readsAhead = true;

  readonly #options: CheckedOptions;
  readonly #pools: { readonly append: Pool; readonly read: Pool };
  readonly #migrationPort: PostgresPort;
  readonly #statements: PreparedStatements;
  readonly #queue: AppendQueue;
  readonly #namespace: EventNamespace;
  readonly #notifications: AppendNotifications;
  readonly #state: { isClosed: boolean };
  #closing: Promise<void> | undefined;

  /**
   * Connects, and changes nothing: see {@link migrate}.
   *
   * @throws InvalidArgumentError for malformed options · StoreUnavailableError when there is no answer · StoreAccessDeniedError
   *   when the credentials are refused
   */
  static async connect(options: PostgresEventStoreOptions): Promise<PostgresEventStore> {
    const checked = checkConnectionOptions(options);
    const { hosts, ...pools } =
      checked.pool === undefined
        ? createPools(checked)
        : { append: checked.pool, read: checked.pool, hosts: 1 };
    const store = new PostgresEventStore(checked, pools);
    const port = new PostgresPort(pools.read, checked);
    for (let attempt = 1; ; attempt++) {
      try {
        await port.query(anything, []);
        return store;
      } catch (error) {
        // The next connection goes to the next host.
        if (attempt < hosts) continue;
        await store.close();
        throw translateSqlError(error);
      }
    }
  }

  private constructor(options: CheckedOptions, pools: { readonly append: Pool; readonly read: Pool }) {
    const state = { isClosed: false };
    const open = (port: SqlPort): SqlPort => ({
      query: async (...args) => {
        if (state.isClosed) throw closedStore();
        return port.query(...args);
      },
    });
    const readPort = new PostgresPort(pools.read, options);
    const appendPort = new PostgresPort(pools.append, options);
    const check = (): Promise<void> => checkSchema(readPort, options.schema, options.onWarning);
    const notifications = new AppendNotifications(
      readPort,
      pools.read,
      options.schema,
      options.notifications,
    );
    const runBatch = createBatchRunner(checkedPort(appendPort, check), {
      retryTimeout: options.retryTimeout,
      lockTimeout: options.operationTimeout,
    });
    const queue = new AppendQueue(
      async (...args) => {
        const outcomes = await runBatch(...args);
        if (outcomes.some((outcome) => outcome.status === 'fulfilled')) notifications.notify();
        return outcomes;
      },
      {
        maxConcurrentBatches: appendConnections,
        maxAppends: options.maxQueuedAppends,
        maxBytes: options.maxQueuedBytes,
      },
    );
    const namespace = new EventNamespace();
    super(open(checkedPort(readPort, check)), {
      namespace,
      maxCommitBytes: options.maxCommitBytes,
      retryTimeout: options.retryTimeout,
      settleTimeout: options.settleTimeout,
      // On a single connection there is nobody to look from.
      ...((options.pool?.options.max ?? 2) > 1 && { probe: () => probe(pools, appendPort, readPort) }),
      append: (member, signal) => queue.append(member, signal),
    });
    this.#options = options;
    this.#pools = pools;
    this.#migrationPort = appendPort;
    this.#statements = new PreparedStatements({
      ...options,
      connectionString: undefined,
      preparedStatements: false,
    });
    this.#queue = queue;
    this.#namespace = namespace;
    this.#notifications = notifications;
    this.#state = state;
  }

  /**
   * Creates the schema or brings it up to date. Safe to call from many processes at once. Needs a role that owns the schema,
   * or may create it; see the guide for a role of the application that may not.
   *
   * @returns the names of the migrations that were applied
   */
  async migrate(): Promise<readonly string[]> {
    const { schema, retryTimeout } = this.#options;
    return this.#guarded(() =>
      retrying(() => migrateSchema(this.#migrationPort, schema), performance.now() + retryTimeout),
    );
  }

  /**
   * A store on a transaction of yours: what it appends is committed or rolled back together with your own tables. The
   * client must be in a READ COMMITTED transaction, or each append is one by itself.
   *
   * Readers in order wait for such a transaction from its first append to its end, so end it soon. While it is idle for
   * longer than 30 s, PostgreSQL ends it (`idle_in_transaction_session_timeout`, where you haven't set it).
   *
   * @throws InvalidArgumentError at the first call in a transaction of another isolation level
   * @example
   * await client.query('begin');
   * await client.query("update accounts set open = true where id = 1");
   * await postgres.inTransaction(client).appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
   * await client.query('commit');
   */
  inTransaction(client: PgClient): EventStore & StoreCapabilities {
    return createTransactionStore(client as ClientBase, this.#statements, {
      ...this.#options,
      namespace: new EventNamespace(this.#namespace),
    });
  }

  /**
   * Gives the store another id, and so makes every checkpoint invalid: for an operator, after a failover that lost commits
   * or the restore of an old backup, when positions have been or will be issued again.
   *
   * @returns the new id
   */
  async rotateStoreId(): Promise<string> {
    const [[storeId] = []] = await this.#guarded(() => this.#migrationPort.query(rotate, []));
    return storeId as string;
  }

  /** Calls back after something was appended, by any process. A hint: it may come twice, late, or not at all. */
  onAppend(listener: () => void): () => void {
    return this.#notifications.onAppend(listener);
  }

  /** Takes no more calls, finishes the appends that it took, and closes the connections that it opened. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // The first appends wait for it.
    await this.#namespace.close();
    await this.#queue.close();
    this.#state.isClosed = true;
    await this.#notifications.close();
    if (this.#options.pool === undefined) {
      await Promise.all([this.#pools.append.end(), this.#pools.read.end()]);
    }
  }

  async #guarded<T>(run: () => Promise<T>): Promise<T> {
    if (this.#state.isClosed) throw closedStore();
    try {
      return await run();
    } catch (error) {
      throw translateSqlError(error);
    }
  }
}

/** @throws InvalidArgumentError when the connection string is malformed */
function createPools(options: CheckedOptions): {
  readonly append: Pool;
  readonly read: Pool;
  readonly hosts: number;
} {
  const hosts = hostsOf(options.connectionString as string);
  return {
    append: createPool(hosts, appendConnections),
    read: createPool(hosts, options.maxReadConnections),
    hosts: hosts.count,
  };
}

/** Whether all connections lead to one server. Where they don't, a name may have moved meanwhile: new ones are used then. */
async function probe(
  pools: { readonly append: Pool; readonly read: Pool },
  ...ports: Parameters<typeof probeLocks>
): Promise<void> {
  try {
    await probeLocks(...ports);
  } catch (error) {
    if (error instanceof UnsafeReadError) {
      for (const pool of Object.values(pools)) PoolConnections.of(pool).distrust();
    }
    throw error;
  }
}
