import type { PGlite, Transaction } from '@electric-sql/pglite';
import { AppendListeners } from '../core/store/append/append-listeners.js';
import { defaultMaxCommitBytes } from '../core/store/append/prepare-events.js';
import { AppendQueue, defaultMaxQueuedAppends, defaultMaxQueuedBytes } from '../sql/append/append-queue.js';
import { BatchRunner } from '../sql/append/batch-runner.js';
import { ClosablePort } from '../sql/closable-port.js';
import { EventNamespace } from '../sql/event-namespace.js';
import { migrateSchema } from '../sql/migrations/migrations.js';
import type { SqlBackend, SqlStoreLimits } from '../sql/sql-backend.js';
import { PGlitePort } from './pglite-port.js';
import { TableStatistics } from './table-statistics.js';

/**
 * Restores the settings that the store's own statements in the same session depend on: the encoding of texts, and that
 * a null in an array isn't a text.
 */
const resetSession = `select pg_catalog.set_config('client_encoding', 'UTF8', false), pg_catalog.set_config('array_nulls', 'on', false)`;

/** The limits among the options of a store. */
interface PGliteLimits {
  readonly maxCommitBytes?: number;
  readonly maxQueuedAppends?: number;
  readonly maxQueuedBytes?: number;
}

/** A migrated database, embedded in the process. */
export class PGliteBackend implements SqlBackend {
  readonly limits: SqlStoreLimits;
  readonly reads: ClosablePort;
  readonly appends: AppendQueue;
  readonly namespace = new EventNamespace();
  readonly listeners = new AppendListeners();

  readonly #database: PGlite;
  readonly #port: PGlitePort;
  readonly #unlock: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @param unlock releases the folder of the database */
  static async open(
    database: PGlite,
    schema: string,
    limits: PGliteLimits,
    unlock: () => Promise<void>,
  ): Promise<PGliteBackend> {
    const port = new PGlitePort(database, schema);
    try {
      await migrateSchema(port, schema);
      const statistics = await TableStatistics.open(port);
      const backend = new PGliteBackend(database, port, statistics, limits, unlock);
      await backend.namespace.read(port);
      return backend;
    } catch (error) {
      if (!port.hasFailed) await database.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    database: PGlite,
    port: PGlitePort,
    statistics: TableStatistics,
    limits: PGliteLimits,
    unlock: () => Promise<void>,
  ) {
    this.#database = database;
    this.#port = port;
    this.#unlock = unlock;
    this.limits = {
      maxCommitBytes: limits.maxCommitBytes ?? defaultMaxCommitBytes,
      // There is no connection to lose.
      retryTimeout: 0,
      settleTimeout: 30_000,
    };
    this.reads = new ClosablePort(port);
    this.appends = new AppendQueue(new BatchRunner(port, { retryTimeout: 0, lockTimeout: 0 }), {
      maxConcurrentBatches: 1,
      maxAppends: limits.maxQueuedAppends ?? defaultMaxQueuedAppends,
      maxBytes: limits.maxQueuedBytes ?? defaultMaxQueuedBytes,
      onOutcomes: async (outcomes) => {
        this.listeners.wake();
        // The events are stored in any case: without fresh statistics, reads are slower but no less right.
        await statistics.observe(outcomes).catch(() => undefined);
      },
    });
  }

  async transaction<T>(run: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.reads.assertOpen();
    return this.#port.run(async (transaction) => {
      const result = await run(transaction);
      if (!transaction.closed) await transaction.query(resetSession);
      return result;
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.appends.close();
    this.reads.close();
    try {
      // A failed database would never return from this.
      if (!this.#port.hasFailed) await this.#database.close();
    } finally {
      await this.#unlock();
    }
  }
}
