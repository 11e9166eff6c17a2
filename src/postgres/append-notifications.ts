import type { Client, Pool } from 'pg';
import { uuidV5 } from '../core/events/event-id.js';
import { AppendListeners } from '../core/store/append/append-listeners.js';
import { statement, type SqlPort } from '../sql/sql-port.js';
import { cutOffLater } from './client-facts.js';
import { createClientLike } from './connection.js';
import { isStandby } from './is-standby.js';
import { within } from './no-answer.js';
import { cutOff } from './pg-internals.js';

/** Least milliseconds between two notifications to other processes. */
const notifyInterval = 50;
const reconnectInterval = 1_000;
/** Milliseconds between two checks that a silent connection still leads to a primary. */
const checkInterval = 10_000;
/** Milliseconds within which the connection must answer. */
const answerTimeout = 5_000;

const notification = statement('select pg_catalog.pg_notify($1, $2)');

/**
 * Wakes readers that wait for new events: at once in this process, and by LISTEN and NOTIFY in others. Best effort: a
 * wake-up may be lost, so waiting readers also look from time to time.
 *
 * A notification is never part of an append's transaction: NOTIFY makes commits wait for each other.
 */
export class AppendNotifications {
  readonly #channel: string;
  readonly #pool: Pool;
  readonly #port: SqlPort;
  readonly #isEnabled: boolean;
  readonly #listeners = new AppendListeners();
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #isClosed = false;

  /**
   * @param port sends the notifications
   * @param pool gives its settings to the connection that listens
   */
  constructor(port: SqlPort, pool: Pool, schema: string, isEnabled: boolean) {
    this.#port = port;
    this.#pool = pool;
    this.#channel = `event_store_${uuidV5(schema).replaceAll('-', '')}`;
    this.#isEnabled = isEnabled;
  }

  /** Announces a commit of this process. */
  notify(): void {
    this.#listeners.wake();
    if (!this.#isEnabled || this.#isClosed) return;
    if (this.#timer !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#send();
  }

  onAppend(listener: () => void): () => void {
    const remove = this.#listeners.add(listener);
    if (this.#listeners.count === 1) void this.#listen();
    return () => {
      remove();
      if (this.#listeners.count === 0) void this.#unlisten();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#unlisten();
  }

  #send(): void {
    this.#isDue = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isDue && !this.#isClosed) this.#send();
    }, notifyInterval);
    this.#timer.unref();
    this.#port.query(notification, [this.#channel, '']).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (!this.#isEnabled || this.#isClosed || this.#client !== undefined) return;
    const client = createClientLike(this.#pool);
    this.#client = client;
    // Comes once for a connection, whatever ends it.
    client.on('end', () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      setTimeout(() => {
        if (this.#listeners.count > 0) void this.#listen();
      }, reconnectInterval).unref();
    });
    client.on('notification', () => {
      this.#listeners.wake();
    });
    try {
      await client.connect();
      await within(answerTimeout, client.query(`listen ${this.#channel}`));
      // Events may have been appended before it listened.
      this.#listeners.wake();
      this.#checkFrom(client);
    } catch {
      cutOff(client);
    }
  }

  /** A quiet connection may have lost its other end, or its server may be a standby by now, where nobody appends. */
  #checkFrom(client: Client): void {
    setTimeout(() => {
      if (this.#client !== client) return;
      within(answerTimeout, isStandby(client)).then(
        (is) => {
          if (is) cutOff(client);
          else this.#checkFrom(client);
        },
        () => {
          cutOff(client);
        },
      );
    }, checkInterval).unref();
  }

  async #unlisten(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    cutOffLater(client);
    await client.end().catch(() => undefined);
  }
}
