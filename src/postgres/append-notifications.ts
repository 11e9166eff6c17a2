import pg, { type Pool } from 'pg';
import { uuidV5 } from '../core/events/event-id.js';

/** Least milliseconds between two notifications of other processes. */
const notifyInterval = 50;
const reconnectInterval = 1_000;

/**
 * Wakes who waits for new events: at once in this process, and by LISTEN and NOTIFY in others. Best effort: a wake-up may
 * be lost, so who waits looks from time to time all the same.
 *
 * A notification is never part of an append's transaction: NOTIFY makes commits wait for each other.
 */
export class AppendNotifications {
  readonly #channel: string;
  readonly #pool: Pool;
  readonly #isEnabled: boolean;
  readonly #listeners = new Set<() => void>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #isClosed = false;

  constructor(pool: Pool, schema: string, isEnabled: boolean) {
    this.#pool = pool;
    this.#channel = `event_store_${uuidV5(schema).replaceAll('-', '')}`;
    this.#isEnabled = isEnabled;
  }

  /** Tells of a commit of this process. */
  notify(): void {
    this.#wake();
    if (!this.#isEnabled || this.#isClosed) return;
    if (this.#timer !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#send();
  }

  onAppend(listener: () => void): () => void {
    // The same function may listen twice.
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    if (this.#listeners.size === 1) void this.#listen();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) void this.#unlisten();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#unlisten();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }

  #send(): void {
    this.#isDue = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isDue && !this.#isClosed) this.#send();
    }, notifyInterval);
    this.#timer.unref();
    this.#pool.query('select pg_catalog.pg_notify($1, $2)', [this.#channel, '']).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (!this.#isEnabled || this.#isClosed || this.#client !== undefined) return;
    const client = new pg.Client(this.#pool.options);
    this.#client = client;
    // Whatever ends the connection ends it once.
    client.on('error', () => undefined);
    client.on('end', () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      setTimeout(() => {
        if (this.#listeners.size > 0) void this.#listen();
      }, reconnectInterval).unref();
    });
    client.on('notification', () => {
      this.#wake();
    });
    try {
      await client.connect();
      await client.query(`listen ${this.#channel}`);
      // Something may have been appended before it listened.
      this.#wake();
    } catch {
      await client.end().catch(() => undefined);
    }
  }

  async #unlisten(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }
}
