import type { Pool, PoolClient, QueryResult } from 'pg';
import { StoreUnavailableError } from '../core/errors/errors.js';
import type { TransactionFrame } from '../sql/projections/sink-database.js';
import { checkOut, ignoreLoss } from './with-client.js';

/** Milliseconds in which a transaction that failed must be rolled back, or its connection counts as lost. */
const rollbackTimeout = 5_000;

/**
 * Runs something in a transaction of its own. When it throws, the transaction is rolled back and the error goes on; unless
 * the connection turns out to be lost: then that is the error, whatever was made of it.
 */
export async function runTransaction<T>(
  pool: Pool,
  run: (client: PoolClient, opened: readonly unknown[]) => Promise<T>,
  frame?: TransactionFrame,
): Promise<T> {
  const client = await checkOut(pool);
  let isLost = false;
  try {
    const opened = await queryLast(client, frame === undefined ? 'begin' : `begin; ${frame.opening}`);
    const result = await run(client, opened);
    await client.query(frame === undefined ? 'commit' : `${frame.closing}; commit`);
    return result;
  } catch (error) {
    isLost = !(await rollBack(client));
    if (isLost) throw connectionLost(error);
    throw error;
  } finally {
    client.release(isLost);
    client.off('error', ignoreLoss);
  }
}

/** @returns the rows of the last of several statements, which `pg` sends as one */
async function queryLast(client: PoolClient, script: string): Promise<readonly unknown[]> {
  const results = (await client.query(script)) as QueryResult | readonly QueryResult[];
  const last = [results].flat().at(-1);
  return (last?.rows ?? []) as readonly unknown[];
}

async function rollBack(client: PoolClient): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, rollbackTimeout, false);
  });
  try {
    return await Promise.race([
      client.query('rollback').then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function connectionLost(cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `The connection to the database was lost in a transaction: ${cause instanceof Error ? cause.message : String(cause)}. Try again.`,
    { commitId: undefined, cause },
  );
}
