import setUpScript from './0001_projections.sql';

// Of the tables in 0001_projections.sql.

/** A statement each: some drivers take only one when there are values. */
export const setUp = ['create schema if not exists __schema__', ...setUpScript.split(/;\s*\n/)].filter(
  (text) => /\w/.test(text.replaceAll(/^--.*$/gm, '')),
);
export const isSetUp = `select exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relname = 'tokens') as is_set_up`;
export const lockSetUp = 'select pg_advisory_xact_lock(1163152726)';
export const lockProjection = 'select pg_advisory_xact_lock(1163152727, hashtext($1))';
export const setSearchPath = `select set_config('search_path', $1 || ', ' || current_setting('search_path'), true)`;

export const builds = `select b.build, b.role, b.version, s.share, s.store_id, s.position, s.applied, s.rate
  from __schema__.builds b join __schema__.shares s using (projection, build)
  where projection = $1 order by b.build, s.share`;
export const addBuild = `insert into __schema__.builds (projection, build, role, version)
  select $1::text, coalesce(max(build), 0) + 1, $2::text, $3::integer from __schema__.builds where projection = $1 returning build`;
export const addShares = `insert into __schema__.shares (projection, build, share)
  select $1::text, $2::integer, generate_series(0, $3::integer - 1)`;
export const removeBuild = 'delete from __schema__.builds where projection = $1 and build = $2';
export const activate = `update __schema__.builds set role = case when build = $2 then 'live' else 'previous' end
  where projection = $1 and (build = $2 or role = 'live')`;

export const acquire = `update __schema__.shares set token = nextval('__schema__.tokens')
  where projection = $1 and build = $2 and share = $3 returning token, store_id, position, applied, rate`;
export const fence = `update __schema__.shares set token = nextval('__schema__.tokens') where projection = $1`;
export const lockShares =
  'select from __schema__.shares where projection = $1 order by build, share for update';
/**
 * Locks the share for this transaction, if the token is that of its newest owner, and sets the search path. The lock of an
 * owner whose machine has vanished ends with its transaction, which the server ends where it has no such limit already: not at once,
 * since a publisher may take its time between two statements.
 */
export const lockShare = `select schema, set_config('search_path', quote_ident(schema) || ', ' || current_setting('search_path'), true),
    case current_setting('idle_in_transaction_session_timeout') when '0'
      then set_config('idle_in_transaction_session_timeout', '5min', true) end
  from (select case role when 'live' then b.projection else b.projection || '__' || role end as schema
    from __schema__.shares s join __schema__.builds b using (projection, build)
    where s.projection = $1 and s.build = $2 and s.share = $3 and s.token = $4 for update of s) locked`;
export const advance = `update __schema__.shares
  set store_id = $4, position = $5, applied = $6, rate = $7, committed_at = now()
  where projection = $1 and build = $2 and share = $3`;

export const parkedOfBuild = `select event_id as id, stream_id, version, position, type, error, attempts, status, operator, reason,
    to_char(parked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as parked_at
  from __schema__.parked where projection = $1 and build = $2 order by position limit $3`;
export const skippedOfLive = `select build, event_id as id, stream_id from __schema__.parked
  join __schema__.builds using (projection, build)
  where projection = $1 and role = 'live' and status = 'skipped' order by position`;
/** Without the events, which may be many and large: a row for each stream, or of those skipped and blocking for each event. */
export const parkedOfShare = `select p.status, place from __schema__.parked p
  cross join lateral (select case when p.status in ('parked', 'retrying') then p.stream_id else p.event_id::text end as place) places
  where projection = $1 and build = $2 and share = $3 and (p.status <> 'skipped' or position > coalesce(
    (select position from __schema__.shares s where (s.projection, s.build, s.share) = ($1, $2, $3)), 0))
  group by p.status, place order by min(position)`;
export const nextRetried = `select event from __schema__.parked
  where projection = $1 and build = $2 and share = $3 and stream_id = $4 and status = 'retrying'
  order by position limit 1`;
export const park = `insert into __schema__.parked
    (projection, build, share, event_id, stream_id, position, version, type, event, error, attempts, status)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  on conflict (projection, build, event_id) do update
    set error = excluded.error, attempts = excluded.attempts, status = excluded.status, parked_at = now()`;
export const parkBehind = `update __schema__.parked set status = 'parked', error = $5, attempts = 0, parked_at = now()
  where projection = $1 and build = $2 and share = $3 and stream_id = $4 and status = 'retrying'`;
/** Into another build, in which its stream belongs to this share. */
export const copySkipped = `insert into __schema__.parked
    (projection, build, share, event_id, stream_id, position, version, type, event, error, attempts, status, operator, reason)
  select projection, $4::integer, $5::integer, event_id, stream_id, position, version, type, event, error, attempts, status,
    operator, reason
  from __schema__.parked where projection = $1 and build = $2 and event_id = $3`;
export const lockParked = `select status, stream_id from __schema__.parked
  where projection = $1 and build = $2 and event_id = $3 and status <> 'skipped' for update`;
export const settle = 'delete from __schema__.parked where projection = $1 and build = $2 and event_id = $3';
export const skip = `update __schema__.parked set status = 'skipped', operator = $4, reason = $5
  where projection = $1 and build = $2 and event_id = $3`;
export const retryStream = `update __schema__.parked set status = 'retrying'
  where projection = $1 and build = $2 and stream_id = $3 and status = 'parked'`;
