import type { Pool, PoolClient } from 'pg';
import { sqlStateOf } from '../sql/sql-errors.js';

/** Runs something on a connection of a pool, which gets it back unless it may still answer. */
export async function withClient<T>(pool: Pool, run: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The statement under way tells of a lost connection; without a listener its event would end the process.
  client.on('error', ignore);
  let failure: unknown;
  try {
    return await run(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A connection without an answer may still get one: nobody else may use it.
    client.release(failure !== undefined && sqlStateOf(failure) === undefined);
    client.off('error', ignore);
  }
}

function ignore(): void {
  // Nothing to do.
}
