-- Tables of the event store. __schema__ stands for the quoted name of its schema.

-- Who this store is. A position is worth something for one store only; an operator changes the id after a lossy
-- failover or an old backup, and so invalidates every checkpoint.
create table __schema__.store (
  singleton boolean primary key default true check (singleton),
  store_id uuid not null default gen_random_uuid()
);
insert into __schema__.store default values;

-- One row per stream; its lock orders the appends to the stream. Room in each page keeps the updates HOT.
create table __schema__.streams (
  stream_id text collate "C" primary key,
  version bigint not null
) with (fillfactor = 70);

-- Without a cache, so that positions are drawn in the order of the calls; up to the safe integers of JavaScript.
create sequence __schema__.positions as bigint maxvalue 9007199254740991 cache 1;

-- json and not jsonb: what goes in comes out to the letter, and faster (writes 1.3x, reads 1.2x).
create table __schema__.events (
  position bigint primary key,
  stream_id text collate "C" not null,
  version bigint not null,
  id uuid not null,
  commit_id text collate "C" not null,
  category text collate "C" not null,
  type text collate "C" not null,
  schema_version integer not null,
  data json not null,
  metadata json not null,
  correlation_id text collate "C",
  tags text[] collate "C" not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  constraint events_version_key unique (stream_id, version),
  -- The last guard of exactly once: an id derives from the stream, the commit and the place in it.
  constraint events_id_key unique (id)
);
-- Cost as measured: bytes an event, rate of inserts against none of it.
create index events_type_idx on __schema__.events (type, position); -- 67 B, 0.98x
create index events_tags_idx on __schema__.events using gin (tags); -- 41 B, 1.04x (where few events have any)
create index events_correlation_idx on __schema__.events (correlation_id, position)
  where correlation_id is not null; -- 83 B, 0.89x

create table __schema__.snapshots (
  stream_id text collate "C" not null,
  model text collate "C" not null,
  model_version bigint not null,
  version bigint not null,
  state json not null,
  saved_at timestamptz not null default now(),
  primary key (stream_id, model)
);

create table __schema__.checkpoints (
  name text collate "C" primary key,
  store_id text collate "C" not null,
  position bigint not null,
  saved_at timestamptz not null default now()
);

-- Events are facts: nobody changes or removes one, whatever his grants.
create function __schema__.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'Events are append-only: % is refused.', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger events_are_append_only before update or delete or truncate on __schema__.events
  for each statement execute function __schema__.refuse_change();

-- The key of the advisory lock that every appender holds, shared, from before it draws a position until its transaction
-- has ended: pg_locks then shows who may still commit a position. Two keys of 32 bits: a constant of this library, and a
-- hash of the schema's oid, so that it neither collides with locks of others nor overflows.
create function __schema__.append_lock(out class integer, out object integer) language sql stable as $$
  select 1163152724, hashoid('__schema__'::regnamespace)
$$;

-- Appends one event. Outcome 0: appended; 1: the stream is at another version; 2: the commit is stored already.
-- Expected -1 is any version, -2 an existing stream.
create function __schema__.append_one(
  p_stream_id text, p_expected bigint, p_commit_id text, p_id uuid, p_type text, p_schema_version integer,
  p_data json, p_metadata json, p_correlation_id text, p_tags text[], p_occurred_at timestamptz,
  out outcome integer, out version bigint, out "position" bigint
) language plpgsql as $$
declare
  v_now timestamptz;
begin
  perform pg_advisory_xact_lock_shared(l.class, l.object) from __schema__.append_lock() l;
  insert into __schema__.streams as s (stream_id, version) values (p_stream_id, 1)
    on conflict (stream_id) do update set version = s.version + 1
    returning s.version into version;
  if exists (select from __schema__.events e where e.id = p_id) then
    outcome := 2;
  elsif p_expected = -1 or p_expected = version - 1 or (p_expected = -2 and version > 1) then
    outcome := 0;
    v_now := date_trunc('milliseconds', clock_timestamp());
    insert into __schema__.events values (
      nextval('__schema__.positions'), p_stream_id, version, p_id, p_commit_id, split_part(p_stream_id, '-', 1), p_type,
      p_schema_version, p_data, p_metadata, p_correlation_id, p_tags, coalesce(p_occurred_at, v_now), v_now
    ) returning events.position into "position";
    return;
  else
    outcome := 1;
  end if;
  version := version - 1;
  if version = 0 then
    delete from __schema__.streams s where s.stream_id = p_stream_id;
  else
    update __schema__.streams s set version = append_one.version where s.stream_id = p_stream_id;
  end if;
end $$;

-- Appends a batch. A stream (s_) has members (m_): what is appended as a whole or not at all. A member has commits
-- (c_), a commit has events (e_). Each names its parents by their index. Answers the outcome of each member as above,
-- the version of the stream before it (or, of a conflict, as it is), and the positions of the appended events in order.
create function __schema__.append_batch(
  s_ids text[], s_counts bigint[],
  m_streams integer[], m_expected bigint[], m_offsets bigint[], m_counts bigint[],
  c_members integer[], c_ids text[], c_event_ids uuid[],
  e_members integer[], e_commits integer[], e_ordinals bigint[], e_ids uuid[], e_types text[],
  e_schema_versions integer[], e_data json[], e_metadata json[], e_correlation_ids text[], e_tags text[],
  e_occurred_at timestamptz[],
  out outcomes integer[], out versions bigint[], out positions bigint[]
) language plpgsql as $$
declare
  v_current bigint[]; -- versions of the streams
  v_bases bigint[];   -- of the members: the version before each that is appended
  v_stored uuid[];    -- of the first events of the commits: those that are stored already
  v_stream integer;
  v_now timestamptz;
begin
  perform pg_advisory_xact_lock_shared(l.class, l.object) from __schema__.append_lock() l;

  -- In sorted order, or two batches could wait for each other.
  with touched as (
    insert into __schema__.streams as s (stream_id, version)
    select i.id, i.n from unnest(s_ids, s_counts) i (id, n) order by i.id collate "C"
    on conflict (stream_id) do update set version = s.version + excluded.version
    returning s.stream_id, s.version
  )
  select array_agg(t.version - i.n order by i.place) into v_current
  from unnest(s_ids, s_counts) with ordinality i (id, n, place) join touched t on t.stream_id = i.id;

  -- A statement of its own: it sees what was committed while the one before waited for a stream.
  select array_agg(e.id) into v_stored from __schema__.events e where e.id = any (c_event_ids);

  select
    array_agg(case when m.expected = -1 or m.expected = m.base or (m.expected = -2 and m.base > 0) then 0 else 1 end
      order by m.place),
    array_agg(m.base order by m.place)
  into outcomes, versions
  from (
    select i.expected, i.place, v_current[i.stream] + i.already as base
    from unnest(m_streams, m_expected, m_offsets) with ordinality i (stream, expected, already, place)
  ) m;

  if v_stored is null and 1 <> all (outcomes) then
    v_bases := versions;
  else
    -- Some member is not appended: one by one, since what follows it in its stream starts lower.
    for i in 1 .. array_length(m_streams, 1) loop
      v_stream := m_streams[i];
      versions[i] := v_current[v_stream];
      v_bases[i] := null;
      if exists (select from unnest(c_members, c_event_ids) c (member, id) where c.member = i and c.id = any (v_stored)) then
        outcomes[i] := 2;
      elsif m_expected[i] = -1 or m_expected[i] = versions[i] or (m_expected[i] = -2 and versions[i] > 0) then
        outcomes[i] := 0;
        v_bases[i] := versions[i];
        v_current[v_stream] := versions[i] + m_counts[i];
      else
        outcomes[i] := 1;
      end if;
    end loop;
    update __schema__.streams s set version = i.version
      from unnest(s_ids, v_current) i (id, version) where s.stream_id = i.id and i.version > 0;
    delete from __schema__.streams s using unnest(s_ids, v_current) i (id, version)
      where s.stream_id = i.id and i.version = 0;
  end if;

  v_now := date_trunc('milliseconds', clock_timestamp());
  with appended as (
    insert into __schema__.events
    select
      nextval('__schema__.positions'), e.stream_id, e.version, e.id, e.commit_id, split_part(e.stream_id, '-', 1), e.type,
      e.schema_version, e.data, e.metadata, e.correlation_id, e.tags::text[], coalesce(e.occurred_at, v_now), v_now
    from (
      select
        s_ids[m_streams[i.member]] as stream_id, v_bases[i.member] + i.ordinal as version, c_ids[i.commit] as commit_id, i.*
      from unnest(
        e_members, e_commits, e_ordinals, e_ids, e_types, e_schema_versions, e_data, e_metadata, e_correlation_ids, e_tags,
        e_occurred_at
      ) with ordinality i (
        member, commit, ordinal, id, type, schema_version, data, metadata, correlation_id, tags, occurred_at, place
      )
      where v_bases[i.member] is not null
      order by i.place
    ) e
    returning events.position
  )
  select array_agg(a.position order by a.position) into positions from appended a;
end $$;
