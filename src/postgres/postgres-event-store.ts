import type { ClientBase } from 'pg';
import type { ReaderHints, StoreCapabilities } from '../core/store/capabilities.js';
import type { EventStore } from '../core/store/event-store.js';
import { SqlEventStore } from '../sql/sql-event-store.js';
import { checkConnectionOptions, type PostgresEventStoreOptions } from './connection.js';
import type { PgClient } from './pg-types.js';
import { PostgresBackend } from './postgres-backend.js';

/**
 * The event store in PostgreSQL 14 or newer, the source of truth.
 *
 * Concurrent appends are committed together, each with an outcome of its own. A call whose connection is lost is
 * repeated under the same commit id. Reads in order don't miss events that commit late; see docs/decisions/0006.
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

  readonly #backend: PostgresBackend;

  /**
   * Connects, and changes nothing: see {@link migrate}.
   *
   * @throws InvalidArgumentError for malformed options · StoreUnavailableError when there is no answer · StoreAccessDeniedError
   *   when the credentials are refused
   */
  static async connect(options: PostgresEventStoreOptions): Promise<PostgresEventStore> {
    const backend = new PostgresBackend(checkConnectionOptions(options));
    await backend.connect();
    return new PostgresEventStore(backend);
  }

  private constructor(backend: PostgresBackend) {
    super(backend);
    this.#backend = backend;
  }

  /**
   * Creates the schema or brings it up to date. Safe to call from many processes at once. Needs a role that owns the schema,
   * or may create it; see the guide for a role of the application that may not.
   *
   * @returns the names of the migrations that were applied
   */
  async migrate(): Promise<readonly string[]> {
    return this.#backend.migrate();
  }

  /**
   * A store on a transaction of yours: what it appends is committed or rolled back together with your own tables. The
   * client must be in a READ COMMITTED transaction; without one, each append commits by itself.
   *
   * Readers in order wait for such a transaction from its first append to its end, so end it soon. If it is idle for
   * longer than 30 s, PostgreSQL ends it (`idle_in_transaction_session_timeout`, unless you have set it).
   *
   * @throws InvalidArgumentError at the first call in a transaction of another isolation level
   * @example
   * await client.query('begin');
   * await client.query("update accounts set open = true where id = 1");
   * await postgres.inTransaction(client).appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
   * await client.query('commit');
   */
  inTransaction(client: PgClient): EventStore & StoreCapabilities {
    return new SqlEventStore(this.#backend.inTransaction(client as ClientBase));
  }

  /**
   * Gives the store another id, and so makes every checkpoint invalid: for an operator, after a failover that lost commits
   * or the restore of an old backup, when positions have been or will be issued again.
   *
   * @returns the new id
   */
  async rotateStoreId(): Promise<string> {
    return this.#backend.rotateStoreId();
  }

  /** Calls back after an append of any process. A hint: it may come twice, late, or not at all. */
  onAppend(listener: () => void): () => void {
    return this.#backend.notifications.onAppend(listener);
  }

  /** Takes no more calls, finishes the appends that it took, and closes the connections that it opened. */
  async close(): Promise<void> {
    return this.#backend.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
