import type { Pool, PoolClient } from 'pg';
import { isReadOnly, spoilsConnection } from '../sql/sql-errors.js';
import { cutOffLater, isWatched, unwatchClient, watchClient } from './client-facts.js';
import { isStandby } from './is-standby.js';
import { NoAnswerError, within } from './no-answer.js';

/** Milliseconds for which a connection to a standby is used: after them, its name may lead to a primary. */
const standbyLifetime = 1_000;

/** A requested connection. A caller that gives up waiting leaves its place in the pool's queue to the next caller. */
interface Request {
  taker: ((error: Error | undefined, client: PoolClient | undefined) => void) | undefined;
}

const pools = new WeakMap<Pool, PoolConnections>();

/**
 * The connections of a pool, ours or a caller's, for all its users. The wait for a connection is limited, connections
 * known to lead to the wrong server aren't used, and a lost connection doesn't end the process.
 */
export class PoolConnections {
  readonly #pool: Pool;
  readonly #abandoned: Request[] = [];
  /** Foreign objects that wrap the clients of the pool's events; mostly new ones each time. */
  readonly #wrappers = new WeakSet<PoolClient>();
  /** Older connections lead to a server that shouldn't be used. */
  #distrustedBefore = 0;

  /** The same object for every user of the pool, so that only one listens to the pool. */
  static of(pool: Pool): PoolConnections {
    let connections = pools.get(pool);
    if (connections === undefined) pools.set(pool, (connections = new PoolConnections(pool)));
    return connections;
  }

  private constructor(pool: Pool) {
    this.#pool = pool;
    // The pool replaces a lost idle connection when somebody needs one.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => watchClient(client, performance.now()));
    pool.on('acquire', (client) => watchClient(client, 0));
  }

  /**
   * Runs something on a connection, which goes back to the pool unless an error spoils it.
   *
   * @param limit most milliseconds to wait for the connection
   */
  async use<T>(limit: number, run: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.take(limit);
    let failure: { readonly error: unknown } | undefined;
    try {
      return await run(client);
    } catch (error) {
      failure = { error };
      throw error;
    } finally {
      this.giveBack(client, failure);
    }
  }

  /** @throws Error without a SQLSTATE when no connection is free in time */
  async take(limit: number): Promise<PoolClient> {
    for (;;) {
      const client = await this.#connect(limit);
      if (!isWatched(client)) this.#wrappers.add(client);
      const facts = watchClient(client, 0);
      try {
        facts.isStandby ??= await within(limit, isStandby(client));
      } catch (error) {
        this.giveBack(client, { error });
        throw error;
      }
      const isOutdated =
        facts.since < this.#distrustedBefore ||
        (facts.isStandby && performance.now() - facts.since > standbyLifetime);
      if (!isOutdated) return client;
      discard(client);
    }
  }

  /** @param failure the error on it. After a missing answer, the answer may still come, so nobody else may use it. */
  giveBack(client: PoolClient, failure?: { readonly error: unknown }): void {
    if (failure === undefined || !spoilsConnection(failure.error)) {
      if (this.#wrappers.has(client)) unwatchClient(client);
      client.release();
      return;
    }
    const { error } = failure;
    if (isReadOnly(error) || error instanceof NoAnswerError) this.distrust();
    discard(client);
  }

  /** From now on uses new connections only. */
  distrust(): void {
    this.#distrustedBefore = performance.now();
  }

  #connect(limit: number): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      const abandoned = this.#abandoned.shift();
      const request: Request = abandoned ?? { taker: undefined };
      const timer = setTimeout(() => {
        request.taker = undefined;
        this.#abandoned.push(request);
        reject(this.#noConnection(limit));
      }, limit);
      request.taker = (error, client) => {
        clearTimeout(timer);
        if (client !== undefined) {
          resolve(client);
        } else {
          reject(
            isPoolTimeout(error) ? this.#noConnection(limit, error) : (error ?? new Error('No connection.')),
          );
        }
      };
      if (abandoned === undefined) this.#request(request);
    });
  }

  /** By callback: a promise is a moment late for a connection that ends as soon as it is made. */
  #request(request: Request): void {
    this.#pool.connect((error, client) => {
      const { taker } = request;
      if (taker !== undefined) {
        taker(error, client);
        return;
      }
      this.#abandoned.splice(this.#abandoned.indexOf(request), 1);
      client?.release();
    });
  }

  #noConnection(limit: number, cause?: Error): Error {
    const { totalCount, idleCount, options } = this.#pool;
    const { max, connectionTimeoutMillis = limit } = options;
    const milliseconds = cause === undefined ? limit : connectionTimeoutMillis;
    const isDry = idleCount === 0 && totalCount >= max;
    return new Error(
      isDry
        ? `the pool had no free connection for ${milliseconds} ms: all ${max} are in use or being made. Give them back sooner (a client that is never released is lost to the pool), or raise the pool's max`
        : `no connection could be made in ${milliseconds} ms`,
      { cause },
    );
  }
}

/** Whether the error is that of `pg-pool` when its own limit is over. */
function isPoolTimeout(error: Error | undefined): error is Error {
  return error?.message === 'timeout exceeded when trying to connect';
}

/** Takes a connection out of its pool, even if its other end doesn't hear. */
function discard(client: PoolClient): void {
  client.release(true);
  cutOffLater(client);
}
