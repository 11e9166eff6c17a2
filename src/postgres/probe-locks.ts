import type { Pool } from 'pg';
import { UnsafeReadError } from '../core/errors/errors.js';

const lockKeys = [1_163_152_724, 1];

/**
 * Takes an advisory lock on one connection and looks for it from another: where that doesn't show, reading in order is not
 * safe. So it is when connections lead to different servers.
 *
 * @throws UnsafeReadError
 */
export async function probeLocks(appendPool: Pool, readPool: Pool): Promise<void> {
  // On a single connection there is nobody to look from.
  if (appendPool === readPool && appendPool.options.max < 2) return;
  const client = await appendPool.connect();
  let isLost = true;
  try {
    await client.query('begin');
    const { rows: own } = await client.query<{ transaction: string }>(
      `select virtualtransaction as transaction from pg_locks l, pg_advisory_xact_lock_shared($1, $2)
       where l.pid = pg_backend_pid() limit 1`,
      lockKeys,
    );
    const { rows: seen } = await readPool.query(
      `select 1 from pg_locks where locktype = 'advisory' and classid::bigint = $1 and objid::bigint = $2
       and objsubid = 2 and granted and virtualtransaction = $3`,
      [...lockKeys, own[0]?.transaction],
    );
    await client.query('commit');
    isLost = false;
    if (seen.length === 0) {
      throw new UnsafeReadError(
        'The locks that one connection takes are not to be seen from another: they lead to different servers. Reading in order needs the server that the appends go to.',
      );
    }
  } finally {
    client.release(isLost);
  }
}
