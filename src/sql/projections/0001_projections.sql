-- The builds of read models, how far each has come, and who may write. One migrator at a time runs this, more than once, with
-- `pg_catalog, pg_temp` for its search_path.
create table if not exists __schema__.builds (
  projection text collate "C" not null,
  build integer not null,
  role text not null check (role in ('live', 'next', 'previous')),
  version integer not null,
  begun_at timestamptz not null default now(),
  primary key (projection, build),
  unique (projection, role) deferrable initially deferred
);

-- Of the definition that it was made by, where that gave one.
alter table __schema__.builds add column if not exists fingerprint text collate "C";

-- A shard of a build: its row is locked by whoever writes, and its token tells the newest owner. Room in each page keeps
-- the updates HOT.
create table if not exists __schema__.shards (
  projection text collate "C" not null,
  build integer not null,
  shard integer not null,
  token bigint not null default 0,
  store_id text collate "C",
  position bigint,
  applied bigint not null default 0,
  rate numeric not null default 0,
  committed_at timestamptz,
  primary key (projection, build, shard),
  foreign key (projection, build) references __schema__.builds on delete cascade
) with (fillfactor = 50);

-- An event that the owner has seen in the store, up to the position.
alter table __schema__.shards add column if not exists seen_position bigint;
alter table __schema__.shards add column if not exists seen_id text collate "C";

-- Events that were not applied, until they are; for ever those that an operator skipped.
create table if not exists __schema__.parked (
  projection text collate "C" not null,
  build integer not null,
  shard integer not null,
  event_id uuid not null,
  stream_id text collate "C" not null,
  position bigint not null,
  version bigint not null,
  type text collate "C" not null,
  event json not null,
  error text not null,
  attempts integer not null,
  status text not null check (status in ('blocking', 'parked', 'retrying', 'skipped')),
  parked_at timestamptz not null default now(),
  operator text,
  reason text,
  primary key (projection, build, event_id),
  foreign key (projection, build) references __schema__.builds on delete cascade
);

-- Tokens of all owners of all builds: a number that was given once means nobody else, whatever is dropped and made again.
create sequence if not exists __schema__.tokens;
