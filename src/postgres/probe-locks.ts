import { UnsafeReadError } from '../core/errors/store-errors.js';
import { advisoryLocks } from '../sql/advisory-locks.js';
import { eq } from '../sql/operators.js';
import { asRetryable } from '../sql/sql-errors.js';
import { statement, type SqlPort, type TransactionalSqlPort } from '../sql/sql-port.js';

const take = statement(`
  select virtualtransaction from pg_catalog.pg_locks l, pg_catalog.pg_advisory_xact_lock_shared(${advisoryLocks.append}, 1)
  where l.pid ${eq} pg_catalog.pg_backend_pid() limit 1`);
const look = statement(`
  select 1 from pg_catalog.pg_locks
  where locktype ${eq} 'advisory' and classid::bigint ${eq} ${advisoryLocks.append} and objid::bigint ${eq} 1 and objsubid ${eq} 2
    and granted and virtualtransaction ${eq} $1`);

/**
 * Takes an advisory lock on one connection and looks for it from another. If the lock doesn't show, as when connections
 * lead to different servers, reading in order isn't safe.
 *
 * @throws UnsafeReadError
 */
export async function probeLocks(appends: TransactionalSqlPort, reads: SqlPort): Promise<void> {
  await appends.transaction(async (transaction) => {
    const [[own = null] = []] = await transaction.query(take, []);
    const seen = await reads.query(look, [own]);
    if (seen.length === 0) {
      // A connection lost meanwhile has lost its lock too, and throws here: that says nothing about the servers.
      await transaction.query(take, []);
      throw asRetryable(
        new UnsafeReadError(
          'The locks that one connection takes are not to be seen from another: they lead to different servers. Reading in order needs the server that the appends go to.',
        ),
      );
    }
  });
}
