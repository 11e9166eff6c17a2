-- Conditions of appends: an append is refused when certain events were appended after a position. See
-- docs/decisions/0027. No table changes, and a library without conditions goes on appending beside this one: the
-- functions that it calls lock tags now, too.

-- The locks of an append, in this order everywhere, all before a position is drawn:
--
-- 1. that of many tags: shared by appends under a condition; exclusive, in place of the tags, for an append of very many;
-- 2. tags: shared by appends of events that carry them, exclusive for a condition, each in the order of its key;
-- 3. the append lock: shared by all appends, exclusive for a condition without tags;
-- 4. streams, in the order of their ids.
--
-- Scope 0: events with the shared tags are appended; 1: under a condition on the exclusive ones; 2: under a condition on
-- all events. A lock per tag without a bound would use up the server's table of locks.
create function __schema__.lock_tags(p_shared text[], p_exclusive text[], p_scope integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_schema integer := hashoid('__schema__'::regnamespace);
begin
  if p_scope = 2 then
    perform pg_advisory_xact_lock(1163152724, v_schema);
    return;
  end if;
  if p_scope = 1 then
    perform pg_advisory_xact_lock_shared(1163152728, v_schema);
  elsif array_length(p_shared, 1) > 128 then
    perform pg_advisory_xact_lock(1163152728, v_schema);
    return;
  end if;
  perform case when k.is_exclusive then pg_advisory_xact_lock(k.key) else pg_advisory_xact_lock_shared(k.key) end
    from (
      select hashtextextended(t.tag collate "C", v_schema) as key, bool_or(t.is_exclusive) as is_exclusive
      from (select unnest(p_shared), false union all select unnest(p_exclusive), true) t (tag, is_exclusive)
      group by 1 order by 1
    ) k;
end $$;

-- The sessions that hold up an append with these tags, or one under a condition on all events. (A key of 64 bits shows as two
-- halves.)
create function __schema__.find_lock_holders(p_tags text[], p_is_of_all boolean) returns setof integer
language sql stable set search_path = pg_catalog, pg_temp as $$
  select l.pid from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and case when l.objsubid = 2 then
      p_is_of_all and l.classid = 1163152724::oid and l.objid::bigint = (hashoid('__schema__'::regnamespace)::bigint & 4294967295)
    else
      ((l.classid::bigint << 32) | l.objid::bigint) = any (
        select hashtextextended(t.tag collate "C", hashoid('__schema__'::regnamespace)) from unnest(p_tags) t (tag))
    end
$$;

-- The transactions that began to append before this migration, and so may hold no tags. Who cannot see when another's
-- transaction began waits for it, too, for some minutes after the migration.
create function __schema__.find_older_appends() returns setof text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select l.virtualtransaction
  from __schema__.migrations m cross join __schema__.append_lock() k
  join pg_locks l on l.locktype = 'advisory' and l.objsubid = 2 and l.pid is distinct from pg_backend_pid()
    and l.classid::bigint = k.class and l.objid::bigint = (k.object::bigint & 4294967295)
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
  left join pg_stat_activity a on a.pid = l.pid
  where m.name = '0002_append_conditions' and m.applied_at > clock_timestamp() - interval '10 minutes'
    and (a.xact_start is null or a.xact_start <= m.applied_at)
$$;

-- Whether the transaction may append under a condition on these tags (p_scope as in lock_tags): unless it would turn shared
-- locks into exclusive ones, for which another such transaction would wait as well.
create function __schema__.may_append_under_condition(p_exclusive text[], p_scope integer) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_schema integer := hashoid('__schema__'::regnamespace);
  v_keys bigint[];
  v_mode text;
begin
  select l.mode into v_mode from pg_locks l
    where l.pid = pg_backend_pid() and l.locktype = 'advisory' and l.granted and l.objsubid = 2
      and l.classid = 1163152724::oid and l.objid::bigint = (v_schema::bigint & 4294967295)
    order by l.mode limit 1;
  if v_mode is null or v_mode = 'ExclusiveLock' then
    return true;
  end if;
  select array_agg((l.classid::bigint << 32) | l.objid::bigint) into v_keys from pg_locks l
    where l.pid = pg_backend_pid() and l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.mode = 'ExclusiveLock';
  return p_scope < 2 and v_keys @> array(select hashtextextended(t.tag collate "C", v_schema) from unnest(p_exclusive) t (tag));
end $$;

-- Up to 2,001 positions of events with these tags, by the index of the tags alone.
create function __schema__.find_tagged(p_tags text[]) returns bigint[] language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_indexscan = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  return array(select e.position from __schema__.events e where e.tags @> p_tags limit 2001);
end $$;

-- Finds an event that a filter of a condition takes, far behind the end: by the index of the tags if it has few
-- candidates, else by the correlation id, else along the positions of each type, else along all positions. (Rows are
-- compared as wholes, since the server would walk along the primary key for `type = x order by position limit 1`.)
create function __schema__.find_far_conflict(
  p_after bigint, p_types text[], p_categories text[], p_tags text[], p_correlation_id text
) returns bigint language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_candidates bigint[];
  v_found bigint;
begin
  if p_tags is not null then
    v_candidates := __schema__.find_tagged(p_tags);
    if v_candidates = '{}' then
      return null;
    elsif array_length(v_candidates, 1) <= 2000 then
      select min(e.position) into v_found from __schema__.events e
        where e.position = any (v_candidates) and e.position > p_after
          and (p_types is null or e.type = any (p_types)) and (p_categories is null or e.category = any (p_categories))
          and (p_correlation_id is null or e.correlation_id = p_correlation_id);
      return v_found;
    end if;
  end if;
  if p_correlation_id is not null then
    select e.position into v_found from __schema__.events e
      where (e.correlation_id, e.position) > (p_correlation_id, p_after) and e.correlation_id <= p_correlation_id
        and e.correlation_id is not null and (p_types is null or e.type = any (p_types)) and (p_categories is null or e.category = any (p_categories))
        and (p_tags is null or e.tags @> p_tags)
      order by e.correlation_id, e.position limit 1;
    return v_found;
  end if;
  if p_types is not null then
    select min(f.position) into v_found from unnest(p_types) y (type) cross join lateral (
      select e.position from __schema__.events e
        where (e.type, e.position) > (y.type, p_after) and e.type <= y.type
          and (p_categories is null or e.category = any (p_categories)) and (p_tags is null or e.tags @> p_tags)
        order by e.type, e.position limit 1
    ) f;
    return v_found;
  end if;
  select e.position into v_found from __schema__.events e
    where e.position > p_after
      and (p_categories is null or e.category = any (p_categories)) and (p_tags is null or e.tags @> p_tags)
    order by e.position limit 1;
  return v_found;
end $$;

-- Finds an event in the way of each member's condition; one filter (q_) a row, arrays as their literals. Answers by
-- member: a position, -1 for a condition of another store or one after the end, null when nothing is in the way.
--
-- Conditions are nearly always near the end, so the search walks along the positions: once for all filters with tags of a
-- batch, which are joined by their first tag, else once for each filter. The plans are pinned, since the server's own
-- choice takes six times as long, and it would compile a walk whose length it can't tell.
create function __schema__.find_conflicts(
  q_members integer[], q_after bigint[], q_store_ids text[], q_types text[], q_categories text[], q_tags text[],
  q_correlation_ids text[]
) returns bigint[] language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
  set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_filters integer := array_length(q_members, 1);
  v_store_id text;
  v_last bigint;
  v_types text[];
  v_categories text[];
  v_tags text[];
  v_found bigint;
  v_joined integer[]; -- the filters that are looked for together
  v_first_tags text[];
  v_first bigint;
  v_conflict record;
  v_conflicts bigint[];
begin
  select s.store_id::text into v_store_id from __schema__.store s;
  select e.position into v_last from __schema__.events e order by e.position desc limit 1;
  v_last := coalesce(v_last, 0);
  for i in 1 .. v_filters loop
    if v_conflicts[q_members[i]] is not null then
      continue;
    end if;
    if q_store_ids[i] <> v_store_id or q_after[i] > v_last then
      v_conflicts[q_members[i]] := -1;
      continue;
    end if;
    if q_after[i] = v_last then
      continue;
    end if;
    v_types := q_types[i]::text[];
    v_categories := q_categories[i]::text[];
    v_tags := q_tags[i]::text[];
    if v_last - q_after[i] > 1000 then
      v_found := __schema__.find_far_conflict(q_after[i], v_types, v_categories, v_tags, q_correlation_ids[i]);
    elsif v_tags is not null and v_filters > 1 then
      v_joined := v_joined || i;
      v_first_tags := v_first_tags || v_tags[1];
      v_first := least(v_first, q_after[i]);
      continue;
    else
      select e.position into v_found from __schema__.events e
        where e.position > q_after[i]
          and (v_types is null or e.type = any (v_types)) and (v_categories is null or e.category = any (v_categories))
          and (v_tags is null or e.tags @> v_tags)
          and (q_correlation_ids[i] is null or e.correlation_id = q_correlation_ids[i])
        order by e.position limit 1;
    end if;
    if v_found is not null then
      v_conflicts[q_members[i]] := v_found;
    end if;
  end loop;
  if v_joined is not null then
    for v_conflict in
      select q.filter, min(e.position) as position
      from unnest(v_joined, v_first_tags) q (filter, tag)
      join (
        select w.position, w.type, w.category, w.tags, w.correlation_id, unnest(w.tags) as tag
        from __schema__.events w where w.position > v_first
      ) e on e.tag = q.tag
      where e.position > q_after[q.filter]
        and (q_types[q.filter] is null or e.type = any (q_types[q.filter]::text[]))
        and (q_categories[q.filter] is null or e.category = any (q_categories[q.filter]::text[]))
        and e.tags @> q_tags[q.filter]::text[]
        and (q_correlation_ids[q.filter] is null or e.correlation_id = q_correlation_ids[q.filter])
      group by q.filter
    loop
      v_conflicts[q_members[v_conflict.filter]] := v_conflict.position;
    end loop;
  end if;
  return v_conflicts;
end $$;

-- Appends one event, whose tags are locked already. Outcome 0: appended; 1: the stream is at another version; 2: the
-- commit is stored already. Expected -1 is any version, -2 an existing stream.
--
-- Where a version is expected, a commit that is stored has moved the stream on, so that it is looked for only when the
-- version is another one; is_checked says to look in any case. A commit that is repeated with the version that the stream
-- has by now breaks the unique key of ids: the caller asks again, checked.
create function __schema__.append_event(
  p_stream_id text, p_expected bigint, p_is_checked boolean, p_commit_id text, p_id uuid, p_type text,
  p_schema_version integer, p_data json, p_metadata json, p_correlation_id text, p_tags text[],
  p_occurred_at timestamptz,
  out outcome integer, out version bigint, out "position" bigint
) language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_is_expected boolean;
  v_now timestamptz;
begin
  perform pg_advisory_xact_lock_shared(1163152724, hashoid('__schema__'::regnamespace));
  insert into __schema__.streams as s (stream_id, version) values (p_stream_id, 1)
    on conflict (stream_id) do update set version = s.version + 1
    returning s.version into version;
  v_is_expected := p_expected = -1 or p_expected = version - 1 or (p_expected = -2 and version > 1);
  outcome := case when v_is_expected then 0 else 1 end;
  if p_is_checked or not v_is_expected then
    if exists (select from __schema__.events e where e.id = p_id) then
      outcome := 2;
    end if;
  end if;
  if outcome = 0 then
    v_now := date_trunc('milliseconds', clock_timestamp());
    insert into __schema__.events (
      position, stream_id, version, id, commit_id, category, type, schema_version, data, metadata, correlation_id, tags,
      occurred_at, recorded_at, bytes
    ) values (
      nextval('__schema__.positions'), p_stream_id, version, p_id, p_commit_id, split_part(p_stream_id, '-', 1), p_type,
      p_schema_version, p_data, p_metadata, p_correlation_id, p_tags, coalesce(p_occurred_at, v_now), v_now,
      pg_catalog.pg_column_size(p_data) + pg_catalog.pg_column_size(p_metadata) + pg_catalog.pg_column_size(p_tags)
    ) returning events.position into "position";
    return;
  end if;
  version := version - 1;
  if version = 0 then
    delete from __schema__.streams s where s.stream_id = p_stream_id;
  else
    update __schema__.streams s set version = append_event.version where s.stream_id = p_stream_id;
  end if;
end $$;

-- Appends a batch, whose tags are locked already. A member is appended as a whole or not at all. It has parts (p_), each for
-- one stream (s_); a part has commits, with an id (c_), a commit has events (e_). Each names its parents by their index;
-- p_members may be null if each member has one part, and they are sorted by their streams.
--
-- s_ids is sorted, the same way by all callers, or two batches could wait for each other. s_tops is the version of each
-- stream after the batch if all expectations of its parts hold, null where they have none. An event's offset counts from
-- there: 0 is the last of its stream. c_event_ids are the first events of the commits that may be stored already; they are
-- looked for as above.
--
-- q_: the filters of conditions, as find_conflicts takes them. d_: a member that is refused if another, before it, is
-- appended: its condition takes an event of that one.
--
-- Answers the outcome of each part as above (null: all are appended), with 3: an event is in the way of the condition; 4:
-- another part of its member is not appended. Of an appended part, the version that offset 0 stands for, of another the
-- version of its stream; the positions of the appended events in order; and by member, what find_conflicts found.
create function __schema__.append_members(
  s_ids text[], s_counts bigint[], s_tops bigint[],
  p_streams integer[], p_expected bigint[], p_starts bigint[], p_counts bigint[], p_members integer[],
  c_parts integer[], c_event_ids uuid[], c_are_checked boolean, c_ids text[],
  e_parts integer[], e_commits integer[], e_offsets bigint[], e_ids uuid[], e_types text[],
  e_schema_versions integer[], e_data json[], e_metadata json[], e_correlation_ids text[], e_tags text[],
  e_occurred_at timestamptz[],
  q_members integer[], q_after bigint[], q_store_ids text[], q_types text[], q_categories text[], q_tags text[],
  q_correlation_ids text[], d_members integer[], d_on integer[],
  out outcomes integer[], out versions bigint[], out positions bigint[], out conflicts bigint[]
) language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_ids text[];
  v_tops bigint[];    -- of the streams
  v_are_expected boolean;
  v_stored uuid[];    -- of c_event_ids: those that are stored
  v_current bigint[]; -- versions of the streams
  v_bases bigint[];   -- of the parts that are appended: what their offsets count from
  v_stream integer;
  v_parts integer := array_length(p_streams, 1);
  v_from integer := 1;
  v_to integer;
  v_member integer;
  v_worst integer;
  v_are_appended boolean[]; -- of the members
  v_now timestamptz;
begin
  perform pg_advisory_xact_lock_shared(1163152724, hashoid('__schema__'::regnamespace));
  if q_members is not null then
    conflicts := __schema__.find_conflicts(
      q_members, q_after, q_store_ids, q_types, q_categories, q_tags, q_correlation_ids);
  end if;

  with touched as (
    insert into __schema__.streams as s (stream_id, version)
    select i.id, i.n from unnest(s_ids, s_counts) i (id, n)
    on conflict (stream_id) do update set version = s.version + excluded.version
    returning s.stream_id, s.version
  )
  select array_agg(t.stream_id), array_agg(t.version) into v_ids, v_tops from touched t;
  if v_ids <> s_ids then
    raise exception 'The streams came back in another order.' using errcode = 'internal_error';
  end if;

  v_are_expected := s_tops is null or s_tops = v_tops
    or not exists (select from unnest(s_tops, v_tops) t (expected, actual) where t.expected <> t.actual);

  -- A statement of its own: it sees what was committed while the one before waited for a stream.
  if c_event_ids is not null and (c_are_checked or not v_are_expected or conflicts is not null or d_members is not null) then
    select array_agg(c.id) into v_stored from unnest(c_event_ids) c (id)
      where exists (select from __schema__.events e where e.id = c.id offset 0); -- the offset keeps it from becoming a join
  end if;

  if v_are_expected and v_stored is null and conflicts is null and d_members is null then
    v_bases := v_tops;
    if v_parts > array_length(s_ids, 1) or p_members is not null then
      select array_agg(v_tops[p.stream] order by p.place) into v_bases
        from unnest(p_streams) with ordinality p (stream, place);
    end if;
    versions := v_bases;
  else
    -- Some member may not be appended: one by one, since what follows it in its streams starts lower.
    for i in 1 .. array_length(s_ids, 1) loop
      v_current[i] := v_tops[i] - s_counts[i];
    end loop;
    while v_from <= v_parts loop
      v_member := coalesce(p_members[v_from], v_from);
      v_to := v_from;
      while p_members[v_to + 1] = v_member loop
        v_to := v_to + 1;
      end loop;
      v_worst := 0;
      for i in v_from .. v_to loop
        versions[i] := v_current[p_streams[i]];
        v_bases[i] := null;
        if exists (
          select from unnest(c_parts, c_event_ids) c (part, id) where c.part = i and c.id = any (v_stored)
        ) then
          outcomes[i] := 2;
        elsif p_expected[i] = -1 or p_expected[i] = versions[i] or (p_expected[i] = -2 and versions[i] > 0) then
          outcomes[i] := 0;
        else
          outcomes[i] := 1;
        end if;
        v_worst := greatest(v_worst, outcomes[i]);
      end loop;
      if v_worst = 0 and (conflicts[v_member] is not null or exists (
        select from unnest(d_members, d_on) d (member, earlier) where d.member = v_member and v_are_appended[d.earlier]
      )) then
        v_worst := 3;
      end if;
      v_are_appended[v_member] := v_worst = 0;
      for i in v_from .. v_to loop
        if v_worst = 0 then
          v_stream := p_streams[i];
          v_bases[i] := versions[i] - p_starts[i] + s_counts[v_stream];
          versions[i] := v_bases[i];
          v_current[v_stream] := v_current[v_stream] + p_counts[i];
        elsif outcomes[i] = 0 then
          outcomes[i] := case when v_worst = 3 then 3 else 4 end;
        end if;
      end loop;
      v_from := v_to + 1;
    end loop;
    for i in 1 .. array_length(s_ids, 1) loop
      if v_current[i] = 0 then
        delete from __schema__.streams s where s.stream_id = s_ids[i];
      elsif v_current[i] < v_tops[i] then
        update __schema__.streams s set version = v_current[i] where s.stream_id = s_ids[i];
      end if;
    end loop;
  end if;

  v_now := date_trunc('milliseconds', clock_timestamp());
  with appended as (
    insert into __schema__.events (
      position, stream_id, version, id, commit_id, category, type, schema_version, data, metadata, correlation_id, tags,
      occurred_at, recorded_at, bytes
    )
    select
      nextval('__schema__.positions'), s_ids[p_streams[i.part]], v_bases[i.part] + i.below, i.id, c_ids[i.commit],
      split_part(s_ids[p_streams[i.part]], '-', 1), i.type, i.schema_version, i.data, i.metadata, i.correlation_id,
      coalesce(i.tags::text[], '{}'), coalesce(i.occurred_at, v_now), v_now,
      pg_catalog.pg_column_size(i.data) + pg_catalog.pg_column_size(i.metadata)
        + coalesce(pg_catalog.octet_length(i.tags), 2)
    from (
      -- Each in the list of columns: in FROM, an array is first copied into a table.
      select unnest(e_parts) as part, unnest(e_commits) as commit, unnest(e_offsets) as below, unnest(e_ids) as id,
        unnest(e_types) as type, unnest(e_schema_versions) as schema_version, unnest(e_data) as data,
        unnest(e_metadata) as metadata, unnest(e_correlation_ids) as correlation_id, unnest(e_tags) as tags,
        unnest(e_occurred_at) as occurred_at
    ) i
    where v_bases[i.part] is not null
    returning events.position
  )
  select array_agg(a.position) into positions from appended a;
end $$;

-- What a library without conditions calls. (Replaced and not dropped: its sessions go on.)
create or replace function __schema__.append_one(
  p_stream_id text, p_expected bigint, p_is_checked boolean, p_commit_id text, p_id uuid, p_type text,
  p_schema_version integer, p_data json, p_metadata json, p_correlation_id text, p_tags text[],
  p_occurred_at timestamptz,
  out outcome integer, out version bigint, out "position" bigint
) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if p_tags <> '{}' then
    perform __schema__.lock_tags(p_tags, null, 0);
  end if;
  select a.* into outcome, version, "position" from __schema__.append_event(
    p_stream_id, p_expected, p_is_checked, p_commit_id, p_id, p_type, p_schema_version, p_data, p_metadata,
    p_correlation_id, p_tags, p_occurred_at) a;
end $$;

create or replace function __schema__.append_batch(
  s_ids text[], s_counts bigint[], s_tops bigint[],
  m_streams integer[], m_expected bigint[], m_starts bigint[], m_counts bigint[],
  c_members integer[], c_event_ids uuid[], c_are_checked boolean, c_ids text[],
  e_members integer[], e_commits integer[], e_offsets bigint[], e_ids uuid[], e_types text[],
  e_schema_versions integer[], e_data json[], e_metadata json[], e_correlation_ids text[], e_tags text[],
  e_occurred_at timestamptz[],
  out outcomes integer[], out versions bigint[], out positions bigint[]
) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if e_tags is not null then
    perform __schema__.lock_tags(
      array(select distinct t.tag from unnest(e_tags) e (tags) cross join lateral unnest(e.tags::text[]) t (tag)), null, 0);
  end if;
  select a.outcomes, a.versions, a.positions into outcomes, versions, positions from __schema__.append_members(
    s_ids, s_counts, s_tops, m_streams, m_expected, m_starts, m_counts, null, c_members, c_event_ids, c_are_checked, c_ids,
    e_members, e_commits, e_offsets, e_ids, e_types, e_schema_versions, e_data, e_metadata, e_correlation_ids, e_tags,
    e_occurred_at, null, null, null, null, null, null, null, null, null) a;
end $$;
