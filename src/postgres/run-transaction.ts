import type { Pool, PoolClient } from 'pg';
import { StoreUnavailableError } from '../core/errors/errors.js';
import { HandlerError } from '../core/projections/projection-sink.js';
import type { TransactionFrame } from '../sql/projections/sink-database.js';
import { causeOf } from '../sql/sql-errors.js';
import type { SqlRow } from '../sql/sql-port.js';
import { assertUtf8 } from './client-encoding.js';
import { readRows } from './row-query.js';
import { checkOut, ignoreLoss } from './with-client.js';

/** Whatever the default of the session is: who has waited for a lock must see what was committed meanwhile. */
const begin = 'begin isolation level read committed';

/** Milliseconds in which a transaction that failed must be rolled back, or its connection counts as lost. */
const rollbackTimeout = 5_000;

/**
 * Runs something in a transaction of its own. When it throws, the transaction is rolled back and the error goes on; unless
 * the connection turns out to be lost: then that is the error, whatever was made of it.
 */
export async function runTransaction<T>(
  pool: Pool,
  run: (client: PoolClient, opened: readonly SqlRow[]) => Promise<T>,
  frame?: TransactionFrame,
): Promise<T> {
  const client = await checkOut(pool);
  let isLost = false;
  try {
    await assertUtf8(client);
    const opened = await readRows(client, {
      text: frame === undefined ? begin : `${begin}; ${frame.opening}`,
    });
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

function connectionLost(error: unknown): StoreUnavailableError {
  const cause = causeOf(error instanceof HandlerError ? error.cause : error);
  return new StoreUnavailableError(
    `The connection to the database was lost in a transaction: ${cause instanceof Error ? cause.message : String(cause)}. Try again.`,
    { commitId: undefined, cause },
  );
}
