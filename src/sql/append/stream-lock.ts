import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { eq } from '../operators.js';
import { causeOf } from '../sql-errors.js';
import { arrayOf, statement, type SqlPort } from '../sql-port.js';
import type { AppendMember } from './append-member.js';

/** Finds the session that has locked the row of one of the streams; none for a new stream, or a lock on the whole table. */
const holder = statement(`select l.pid from __schema__.streams s
  join pg_catalog.pg_locks l on l.locktype ${eq} 'transactionid' and l.granted
    and l.transactionid::pg_catalog.text ${eq} s.xmax::pg_catalog.text
  where s.stream_id ${eq} any ($1::pg_catalog.text[])`);

const holderOfTags = statement(
  'select __schema__.find_lock_holders($1::pg_catalog.text[], $2::boolean) limit 1',
);

/** The error of an append to a stream, or with tags, that another transaction has locked for too long. */
export async function streamIsLocked(
  port: SqlPort,
  member: AppendMember,
  { lockTimeout, isRepeated, cause }: { lockTimeout: number; isRepeated: boolean; cause: unknown },
): Promise<StoreUnavailableError> {
  const commitId = member.parts[0]?.commits[0]?.commitId;
  return new StoreUnavailableError(
    `${await describeLock(port, member, lockTimeout)} End that transaction. ` +
      (isRepeated ? 'Whether the append was stored is unknown' : 'Nothing was stored') +
      `: send it again with its commit id '${commitId ?? ''}'.`,
    { commitId, cause: causeOf(cause) },
  );
}

async function describeLock(
  port: SqlPort,
  { parts, tags: { shared, exclusive, isOfAll } }: AppendMember,
  lockTimeout: number,
): Promise<string> {
  const streams = parts.map(({ streamId }) => streamId);
  const [[pid = null] = []] = await port.query(holder, [arrayOf('text', streams)]).catch(() => []);
  if (pid === null && (isOfAll || shared.size + exclusive.size > 0)) {
    const tags = arrayOf('text', [...shared, ...exclusive]);
    const [[other = null] = []] = await port.query(holderOfTags, [tags, isOfAll]).catch(() => []);
    if (other !== null) {
      return isOfAll
        ? `The append's condition has a filter without tags, so that it waits for all that append: a transaction of the process ${other} of pg_stat_activity has appended and not ended for ${lockTimeout} ms. Give the filter a tag.`
        : `Tags of the append are locked: the process ${other} of pg_stat_activity has held one of them for ${lockTimeout} ms, by an append with the tag or by a condition on it.`;
    }
  }
  const who = pid === null ? 'another transaction' : `the process ${pid} of pg_stat_activity`;
  const [first = ''] = streams;
  return `The stream '${first}'${streams.length > 1 ? ', or another one of the append,' : ''} is locked: ${who} has held it, or a table of the store, for ${lockTimeout} ms.`;
}
