import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { assertOptions, integerFrom, type OptionCheck } from '../core/options/options.js';
import { defaultMaxCommitBytes } from '../core/store/append/prepare-events.js';
import type { ReaderHints, StoreCapabilities } from '../core/store/capabilities.js';
import type { EventStore } from '../core/store/event-store.js';
import { AppendQueue, closedStore, defaultMaxQueuedBytes } from '../sql/append-queue.js';
import { EventNamespace } from '../sql/event-namespace.js';
import { migrateSchema } from '../sql/migrations.js';
import { createBatchRunner } from '../sql/run-batch.js';
import { assertSchemaName, defaultSchema } from '../sql/schema-name.js';
import { SqlEventStore } from '../sql/sql-event-store.js';
import type { SqlPort } from '../sql/sql-port.js';
import { lockFolder } from './folder-lock.js';
import { translateOpenError } from './open-error.js';
import { PGlitePort } from './pglite-port.js';
import type { PGliteTransaction } from './pglite-transaction.js';
import { TableStatistics } from './table-statistics.js';

export interface PGliteEventStoreOptions {
  /** Folder of the database; created when it isn't there. In memory when absent. */
  readonly dataDir?: string;
  /** Default `event_store`. */
  readonly schema?: string;
  /** Most bytes of JSON in one commit. Default 2,000,000. */
  readonly maxCommitBytes?: number;
  /** Most appends that wait for their turn; one more is STORE_OVERLOADED. Default 10,000. */
  readonly maxQueuedAppends?: number;
  /**
   * Most bytes that appends take while they wait, counted as two for each character of their JSON; one more is STORE_OVERLOADED.
   * Default 128,000,000.
   */
  readonly maxQueuedBytes?: number;
}

/**
 * What the store's own statements in the same session depend on: how texts are written, and that a null in an array isn't a
 * text.
 */
const resetSession = `select pg_catalog.set_config('client_encoding', 'UTF8', false), pg_catalog.set_config('array_nulls', 'on', false)`;

const isFolder: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' && !value.includes('://') ? undefined : 'the path of a folder';

/**
 * The event store in PostgreSQL embedded in the process: no server, the same SQL. For examples, tests and small embedded
 * use. A persistent one survives the death of its process, but it doesn't flush to disk: a crash of the machine may lose
 * what was confirmed.
 *
 * One process at a time can use a folder.
 *
 * @example
 * const store = await PGliteEventStore.open({ dataDir: './events' });
 * await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
 * await store.close();
 */
export class PGliteEventStore extends SqlEventStore implements EventStore, StoreCapabilities, ReaderHints {
  readonly #queue: AppendQueue;
  readonly #listeners: Set<() => void>;
  readonly #end: () => Promise<void>;
  readonly #transaction: PGlite['transaction'];
  #closing: Promise<void> | undefined;

  /**
   * Opens the database, creates it if it isn't there, and migrates its schema.
   *
   * @throws InvalidArgumentError for malformed options, or a folder that can't be one · StoreUnavailableError when another
   *   process, or another store of this one, uses the folder, or the database can't be opened · StoreAccessDeniedError when the
   *   folder is closed to this process · SchemaOutdatedError
   */
  static async open(options: PGliteEventStoreOptions = {}): Promise<PGliteEventStore> {
    assertOptions('PGliteEventStore.open', options, {
      dataDir: isFolder,
      schema: () => undefined,
      maxCommitBytes: integerFrom(1),
      maxQueuedAppends: integerFrom(1),
      maxQueuedBytes: integerFrom(1),
    });
    const { schema = defaultSchema, dataDir } = options;
    assertSchemaName(schema);
    const folder = dataDir === undefined ? undefined : resolve(dataDir);
    let unlock = async (): Promise<void> => undefined;
    try {
      if (folder !== undefined) {
        await mkdir(dirname(folder), { recursive: true });
        unlock = await lockFolder(folder);
      }
      return await open(await PGlite.create(folder), schema, options, unlock);
    } catch (error) {
      await unlock().catch(() => undefined);
      throw translateOpenError(error, folder);
    }
  }

  /** @internal */
  constructor(
    port: SqlPort,
    statistics: TableStatistics,
    options: PGliteEventStoreOptions,
    database: {
      namespace: EventNamespace;
      transaction: PGlite['transaction'];
      end: () => Promise<void>;
    },
  ) {
    const state = { isClosed: false };
    const listeners = new Set<() => void>();
    // There is no connection to lose.
    const runBatch = createBatchRunner(port, { retryTimeout: 0, lockTimeout: 0 });
    const queue = new AppendQueue(
      async (...args) => {
        const outcomes = await runBatch(...args);
        for (const listener of listeners) listener();
        // What was appended is appended: without it, reads are slower and no less right.
        await statistics.observe(outcomes).catch(() => undefined);
        return outcomes;
      },
      {
        maxConcurrentBatches: 1,
        maxAppends: options.maxQueuedAppends ?? 10_000,
        maxBytes: options.maxQueuedBytes ?? defaultMaxQueuedBytes,
      },
    );
    const open: SqlPort = {
      query: async (...args) => {
        if (state.isClosed) throw closedStore();
        return port.query(...args);
      },
    };
    super(open, {
      namespace: database.namespace,
      maxCommitBytes: options.maxCommitBytes ?? defaultMaxCommitBytes,
      retryTimeout: 0,
      settleTimeout: 30_000,
      append: (member, signal) => queue.append(member, signal),
    });
    this.#queue = queue;
    this.#listeners = listeners;
    this.#end = async () => {
      state.isClosed = true;
      await database.end();
    };
    this.#transaction = async (run) => {
      if (state.isClosed) throw closedStore();
      return database.transaction(async (transaction) => {
        const result = await run(transaction);
        if (!transaction.closed) await transaction.query(resetSession);
        return result;
      });
    };
  }

  /**
   * Runs statements of yours in a transaction of this database, on tables of yours. The store's own methods wait until it
   * has ended, so they must not be awaited in it.
   *
   * @throws StoreClosedError · what the statements throw; the transaction is then rolled back
   */
  transaction<T>(run: (transaction: PGliteTransaction) => Promise<T>): Promise<T> {
    return this.#transaction(run);
  }

  /** Calls back after something was appended. */
  onAppend(listener: () => void): () => void {
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Takes no more calls, finishes the appends that it took, and closes the database. */
  async close(): Promise<void> {
    this.#closing ??= this.#queue.close().then(this.#end);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function open(
  database: PGlite,
  schema: string,
  options: PGliteEventStoreOptions,
  unlock: () => Promise<void>,
): Promise<PGliteEventStore> {
  const port = new PGlitePort(database, schema);
  try {
    await migrateSchema(port, schema);
    const namespace = new EventNamespace();
    await namespace.read(port);
    return new PGliteEventStore(port, await TableStatistics.open(port), options, {
      namespace,
      transaction: (run) => port.run(run),
      end: async () => {
        try {
          // One that has failed would never come back.
          if (!port.hasFailed) await database.close();
        } finally {
          await unlock();
        }
      },
    });
  } catch (error) {
    if (!port.hasFailed) await database.close().catch(() => undefined);
    throw error;
  }
}
