import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { eq } from '../operators.js';
import { causeOf } from '../sql-errors.js';
import { statement, type SqlPort } from '../sql-port.js';
import type { AppendMember } from './append-member.js';

/** Finds the session that has locked the row of a stream; none for a new stream, or a lock on the whole table. */
const holder = statement(`select l.pid from __schema__.streams s
  join pg_catalog.pg_locks l on l.locktype ${eq} 'transactionid' and l.granted
    and l.transactionid::pg_catalog.text ${eq} s.xmax::pg_catalog.text
  where s.stream_id ${eq} $1`);

/** The error of an append to a stream that another transaction has locked for too long. */
export async function streamIsLocked(
  port: SqlPort,
  { streamId, commits }: AppendMember,
  { lockTimeout, isRepeated, cause }: { lockTimeout: number; isRepeated: boolean; cause: unknown },
): Promise<StoreUnavailableError> {
  const [[pid = null] = []] = await port.query(holder, [streamId]).catch(() => []);
  const who = pid === null ? 'another transaction' : `the process ${pid} of pg_stat_activity`;
  const commitId = commits[0]?.commitId;
  return new StoreUnavailableError(
    `The stream '${streamId}' is locked: ${who} has held it, or a table of the store, for ${lockTimeout} ms. End that transaction. ` +
      (isRepeated ? 'Whether the append was stored is unknown' : 'Nothing was stored') +
      `: send it again with its commit id '${commitId ?? ''}'.`,
    { commitId, cause: causeOf(cause) },
  );
}
