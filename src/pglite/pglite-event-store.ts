import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { assertOptions, integerFrom, type OptionCheck } from '../core/options/options.js';
import type { ReaderHints, StoreCapabilities } from '../core/store/capabilities.js';
import type { EventStore } from '../core/store/event-store.js';
import { assertSchemaName, defaultSchema } from '../sql/schema-name.js';
import { SqlEventStore } from '../sql/sql-event-store.js';
import { lockFolder } from './folder-lock.js';
import { translateOpenError } from './open-error.js';
import { PGliteBackend } from './pglite-backend.js';
import type { PGliteTransaction } from './pglite-transaction.js';

export interface PGliteEventStoreOptions {
  /** Folder of the database; created if it is missing. Without one, the database is in memory. */
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

const isFolder: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' && !value.includes('://') ? undefined : 'the path of a folder';

/**
 * The event store in PostgreSQL embedded in the process: no server, the same SQL. For examples, tests and small
 * embedded use. A persistent store survives the death of its process, but it doesn't flush to disk: a crash of the
 * machine may lose confirmed appends.
 *
 * One process at a time can use a folder.
 *
 * @example
 * const store = await PGliteEventStore.open({ dataDir: './events' });
 * await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
 * await store.close();
 */
export class PGliteEventStore extends SqlEventStore implements EventStore, StoreCapabilities, ReaderHints {
  readonly #backend: PGliteBackend;

  /**
   * Opens the database, creates it if it is missing, and migrates its schema.
   *
   * @throws InvalidArgumentError for malformed options, or a `dataDir` that can't be a folder · StoreUnavailableError
   *   when another process, or another store of this one, uses the folder, or the database can't be opened ·
   *   StoreAccessDeniedError when this process has no access to the folder · SchemaOutdatedError
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
      return new PGliteEventStore(
        await PGliteBackend.open(await PGlite.create(folder), schema, options, unlock),
      );
    } catch (error) {
      await unlock().catch(() => undefined);
      throw translateOpenError(error, folder);
    }
  }

  private constructor(backend: PGliteBackend) {
    super(backend);
    this.#backend = backend;
  }

  /**
   * Runs statements of yours in a transaction of this database, on tables of yours. The store's own methods wait until it
   * has ended, so don't await them in it.
   *
   * @throws StoreClosedError · what the statements throw; the transaction is then rolled back
   */
  transaction<T>(run: (transaction: PGliteTransaction) => Promise<T>): Promise<T> {
    return this.#backend.transaction(run);
  }

  /** Calls back after an append. */
  onAppend(listener: () => void): () => void {
    return this.#backend.listeners.add(listener);
  }

  /** Takes no more calls, finishes the appends that it took, and closes the database. */
  async close(): Promise<void> {
    return this.#backend.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
