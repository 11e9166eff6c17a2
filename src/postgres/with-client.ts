import type { Pool, PoolClient } from 'pg';
import { sqlStateOf } from '../sql/sql-errors.js';

/** Runs something on a connection of a pool, which gets it back unless it may still answer. */
export async function withClient<T>(pool: Pool, run: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await checkOut(pool);
  let failure: unknown;
  try {
    return await run(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A connection without an answer may still get one: nobody else may use it.
    client.release(failure !== undefined && sqlStateOf(failure) === undefined);
    client.off('error', ignoreLoss);
  }
}

/**
 * A connection whose loss ends nothing but the statement that runs on it: `pg` tells the client too, and while somebody
 * has it the pool doesn't listen, so that its event would end the process.
 */
export function checkOut(pool: Pool): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    // By callback: a promise is a moment late for a connection that is ended as soon as it is made.
    pool.connect((error, client) => {
      client?.on('error', ignoreLoss);
      if (client === undefined) reject(error ?? new Error('No connection.'));
      else resolve(client);
    });
  });
}

/** The listener that {@link checkOut} adds, to be taken off when the client is released. */
export function ignoreLoss(): void {
  // Nothing to do.
}
