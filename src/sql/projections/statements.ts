import { advisoryLocks } from '../advisory-locks.js';
import { concat, eq, gt, minus, ne, plus } from '../operators.js';
import { milliseconds } from '../sql-time.js';
import setUpScript from './0001_projections.sql';
import { at, framed } from './framed-statement.js';
import { sessionState } from './session-state.js';

// Statements on the tables in 0001_projections.sql.

/** One statement each, since some drivers take only one with values. The search path hides everybody else's names. */
export const setUp = [
  'set local search_path = pg_catalog, pg_temp',
  'create schema if not exists __schema__',
  ...setUpScript.split(/;\s*\n/),
].filter((text) => /\w/.test(text.replaceAll(/^--.*$/gm, '')));
export const lockSetUp = `select pg_catalog.pg_advisory_xact_lock(${advisoryLocks.setUpProjections})`;
/** For this transaction. The server ends the transaction of a frozen process: this sets a limit if there is none. */
export const lockProjection = `select pg_catalog.pg_advisory_xact_lock(${advisoryLocks.projection}, pg_catalog.hashtext($1)), ${idleAtMost('15min')}`;

/** For this transaction; `$1` is in milliseconds, or has a unit. */
export const setLockTimeout = `select pg_catalog.current_setting('lock_timeout'), pg_catalog.set_config('lock_timeout', $1, true)`;

/** The search path of the session; null if it is empty, to be left out of a list. */
const otherSchemas = `case when pg_catalog.current_setting('search_path') ${ne} '' then pg_catalog.current_setting('search_path') end`;
/**
 * Puts a schema in front of the session's search path, for the user's code, and temporary tables at its end, so that
 * none of them hides a table of the same name.
 */
const searchPathFrom = (schema: string): string =>
  `pg_catalog.set_config('search_path',
    pg_catalog.concat_ws(', ', pg_catalog.quote_ident(${schema}), ${otherSchemas}, 'pg_temp'), true)`;
export const setSearchPath = `select ${searchPathFrom('$1')}, ${sessionState}`;

/** Limits how long the session may be idle within its transaction, if there is no limit. */
function idleAtMost(limit: string): string {
  return `case when pg_catalog.current_setting('idle_in_transaction_session_timeout') ${eq} '0'
      then pg_catalog.set_config('idle_in_transaction_session_timeout', '${limit}', true) end`;
}

export const readSearchPath = `select pg_catalog.current_setting('search_path')`;
export const useSearchPath = `select pg_catalog.set_config('search_path', $1, true)`;

const ofBuild = `projection ${eq} $1 and build ${eq} $2`;
const ofShard = `${ofBuild} and shard ${eq} $3`;

export const builds = `select b.build, b.role, b.version, b.fingerprint, s.store_id, s.position, s.applied, s.rate
  from __schema__.builds b join __schema__.shards s on s.projection ${eq} b.projection and s.build ${eq} b.build
  where b.projection ${eq} $1 order by b.build, s.shard`;
export const addBuild = `insert into __schema__.builds (projection, build, role, version, fingerprint)
  select $1::pg_catalog.text, coalesce(pg_catalog.max(build), 0) ${plus} 1, $2::pg_catalog.text, $3::integer, $4::pg_catalog.text
  from __schema__.builds where projection ${eq} $1 returning build`;
export const addShards = `insert into __schema__.shards (projection, build, shard)
  select $1::pg_catalog.text, $2::integer, pg_catalog.generate_series(0, $3::integer ${minus} 1)`;
export const removeBuild = `delete from __schema__.builds where ${ofBuild}`;
export const activate = `update __schema__.builds set role = case when build ${eq} $2 then 'live' else 'previous' end
  where projection ${eq} $1 and (build ${eq} $2 or role ${eq} 'live')`;

const nextToken = `pg_catalog.nextval('__schema__.tokens')`;
export const acquire = `update __schema__.shards set token = ${nextToken}
  where ${ofShard} returning token, store_id, position, applied, rate, seen_position, seen_id`;
export const fence = `update __schema__.shards set token = ${nextToken} where projection ${eq} $1`;
export const lockShards = `select from __schema__.shards where projection ${eq} $1 order by build, shard for update`;
/** The advisory lock that the transaction of a shard's owner holds, by which others find its session. */
const ownerKey = (row: string): string =>
  `pg_catalog.hashtextextended(pg_catalog.concat_ws('/', ${row}.build, ${row}.shard, '__schema__', ${row}.projection), 0)`;
/**
 * Locks the shard for this transaction, if the token is that of its newest owner, and sets the search path. If the
 * owner's machine vanishes, the server ends the idle transaction, and with it the lock: this sets a limit if there is
 * none, and a long one, since a publisher may take its time between two statements. Returns the schema first, and the
 * state of the session as the last column.
 */
export const lockShard = framed`select schema, ${searchPathFrom('schema')},
    ${idleAtMost('5min')},
    pg_catalog.pg_advisory_xact_lock_shared(${ownerKey('locked')}),
    ${sessionState}
  from (
    select s.projection, s.build, s.shard,
      case when b.role ${eq} 'live' then b.projection else b.projection ${concat} '__' ${concat} b.role end as schema
    from __schema__.shards s join __schema__.builds b on b.projection ${eq} s.projection and b.build ${eq} s.build
    where s.projection ${eq} ${at(1)} and s.build ${eq} ${at(2)} and s.shard ${eq} ${at(3)} and s.token ${eq} ${at(4)} for update of s
  ) locked`;
/** The sessions of owners that are in a transaction, for all shards of a projection, those of a build, or one. */
const ownersOf = `from __schema__.shards s join pg_catalog.pg_locks l on l.locktype ${eq} 'advisory' and l.granted
    and l.objsubid ${eq} 1 and l.database ${eq} (select d.oid from pg_catalog.pg_database d where d.datname ${eq} pg_catalog.current_database())
    and (((l.classid::pg_catalog.int8) operator(pg_catalog.<<) 32) operator(pg_catalog.|) (l.objid::pg_catalog.int8)) ${eq} ${ownerKey('s')}
  where s.projection ${eq} $1 and ($2::pg_catalog.int4 is null or s.build ${eq} $2) and ($3::pg_catalog.int4 is null or s.shard ${eq} $3)
    and l.pid ${ne} pg_catalog.pg_backend_pid()`;
export const endOwners = `select pg_catalog.pg_terminate_backend(l.pid) ${ownersOf}`;
/** The sessions that have locked the rows of shards. */
export const findBlockers = `select l.pid ${ownersOf}
  union select l.pid from __schema__.shards s
    join pg_catalog.pg_locks l on l.locktype ${eq} 'transactionid' and l.granted and l.transactionid ${eq} s.xmax
  where s.projection ${eq} $1 and ($2::pg_catalog.int4 is null or s.build ${eq} $2) and ($3::pg_catalog.int4 is null or s.shard ${eq} $3)
    and l.pid ${ne} pg_catalog.pg_backend_pid()`;
export const advance = framed`update __schema__.shards
  set store_id = ${at(4)}, position = ${at(5)}, applied = ${at(6)}, rate = ${at(7)}, seen_position = ${at(8)}, seen_id = ${at(9)}, committed_at = pg_catalog.now()
  where projection ${eq} ${at(1)} and build ${eq} ${at(2)} and shard ${eq} ${at(3)}`;

export const parkedOfBuild = `select event_id, stream_id, version, position, type, error, attempts, status, operator, reason,
    ${milliseconds('parked_at')}
  from __schema__.parked where ${ofBuild} order by position limit $3`;
export const skippedOfLive = `select p.build, p.event_id, p.stream_id from __schema__.parked p
  join __schema__.builds b on b.projection ${eq} p.projection and b.build ${eq} p.build
  where p.projection ${eq} $1 and b.role ${eq} 'live' and p.status ${eq} 'skipped' order by p.position`;
/** Without the events, which may be many and large: a row for each parked stream and each skipped or blocking event. */
export const parkedOfShard = `select p.status, place from __schema__.parked p
  cross join lateral (
    select case when p.status ${eq} 'parked' or p.status ${eq} 'retrying' then p.stream_id
      else p.event_id::pg_catalog.text end as place
  ) places
  where ${ofShard} and (p.status ${ne} 'skipped' or p.position ${gt} coalesce(
    (select s.position from __schema__.shards s
      where s.projection ${eq} p.projection and s.build ${eq} p.build and s.shard ${eq} p.shard), 0))
  group by p.status, place order by pg_catalog.min(p.position)`;
export const nextRetried = `select event from __schema__.parked
  where ${ofShard} and stream_id ${eq} $4 and status ${eq} 'retrying'
  order by position limit 1`;
export const park = `insert into __schema__.parked
    (projection, build, shard, event_id, stream_id, position, version, type, event, error, attempts, status)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  on conflict (projection, build, event_id) do update
    set error = excluded.error, attempts = excluded.attempts, status = excluded.status, parked_at = pg_catalog.now()`;
export const parkBehind = `update __schema__.parked set status = 'parked', error = $5, attempts = 0, parked_at = pg_catalog.now()
  where ${ofShard} and stream_id ${eq} $4 and status ${eq} 'retrying'`;
/** Copies a skipped event into another build, `$4`, in which its stream belongs to the shard `$5`. */
export const copySkipped = `insert into __schema__.parked
    (projection, build, shard, event_id, stream_id, position, version, type, event, error, attempts, status, operator, reason)
  select projection, $4::integer, $5::integer, event_id, stream_id, position, version, type, event, error, attempts, status,
    operator, reason
  from __schema__.parked where ${ofBuild} and event_id ${eq} $3`;
export const lockParked = `select status, stream_id from __schema__.parked
  where ${ofBuild} and event_id ${eq} $3 and status ${ne} 'skipped' for update`;
export const settle = `delete from __schema__.parked where ${ofBuild} and event_id ${eq} $3`;
export const skip = `update __schema__.parked set status = 'skipped', operator = $4, reason = $5
  where ${ofBuild} and event_id ${eq} $3`;
export const retryStream = `update __schema__.parked set status = 'retrying'
  where ${ofBuild} and stream_id ${eq} $3 and status ${eq} 'parked'`;
