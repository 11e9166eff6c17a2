import pg from 'pg';
import type { ProjectionBuild } from 'temporal-event-store';
import { PostgresProjectionSink, type SqlProjectionContext } from 'temporal-event-store/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, createDatabase, createRole, query } from '../../support/postgres.js';

const name = 'totals';
const tables = `create table total (id serial primary key, n int, secret text);
  create view doubled as select n * 2 as n from total;
  create type state as enum ('open', 'closed');
  create function sum_of(total) returns int language sql as 'select $1.n';
  create materialized view frozen as select 1 as one`;
const initOf =
  (value: number, more = '') =>
  async ({ client }: SqlProjectionContext): Promise<void> => {
    for (const each of `${tables}; ${more}`.split(';')) if (each.trim() !== '') await client.query(each);
    await client.query('insert into total (n) values ($1)', [value]);
  };

async function useModel(url = (databaseUrl: string) => databaseUrl) {
  const database = await createDatabase();
  const reader = await createRole();
  const ask = (text: string): Promise<Record<string, unknown>[]> => query(database.directUrl, text);
  const asReader = (text: string): Promise<Record<string, unknown>[]> =>
    query(reader.as(database.directUrl), text);
  const pool = new pg.Pool({ connectionString: url(database.url) });
  onTestFinished(() => pool.end());
  const sink = new PostgresProjectionSink({ pool });
  await sink.open({ name, version: 1, shards: 1 }, initOf(1));
  let version = 1;
  const rebuild = async (init = initOf(version + 1)): Promise<number> => {
    const { build } = await sink.begin({ name, version: ++version, shards: 1 }, { init, reset: undefined });
    await sink.activate(name, build, undefined);
    return build;
  };
  const live = async (): Promise<ProjectionBuild> =>
    (await sink.open({ name, version, shards: 1 }, undefined))[0] as ProjectionBuild;
  return { database, reader, ask, asReader, sink, rebuild, live, role: `"${reader.name}"` };
}

const aclOf = (schema: string): string => `
  select 'relation' as what, relname::text as name, relkind::text, relacl::text as acl, pg_get_userbyid(relowner)::text as owner
  from pg_class where relnamespace = '${schema}'::regnamespace and relkind in ('r', 'v', 'S', 'm')
  union all select 'column', attname, null, attacl::text, null from pg_attribute a join pg_class c on c.oid = attrelid
  where relnamespace = '${schema}'::regnamespace and attacl is not null
  union all select 'routine', proname, null, proacl::text, pg_get_userbyid(proowner) from pg_proc where pronamespace = '${schema}'::regnamespace
  union all select 'type', typname, null, typacl::text, pg_get_userbyid(typowner) from pg_type where typnamespace = '${schema}'::regnamespace and typtype = 'e'
  union all select 'schema', null, null, nspacl::text, pg_get_userbyid(nspowner) from pg_namespace where nspname = '${schema}'
  union all select 'defaults', defaclobjtype::text, null, defaclacl::text, pg_get_userbyid(defaclrole) from pg_default_acl where defaclnamespace = '${schema}'::regnamespace
  order by 1, 2`;

describe('a rebuild', () => {
  it('keeps what was granted, and the owners, also when it is rolled back', async () => {
    const { ask, asReader, rebuild, sink, role, live } = await useModel();
    const first = await live();
    const owner = await createRole();
    for (const grant of [
      `grant usage on schema totals to ${role}`,
      `grant select (id, n) on totals.total to ${role}`,
      `grant select on totals.doubled, totals.frozen to ${role} with grant option`,
      `grant usage, select on sequence totals.total_id_seq to ${role}`,
      `revoke execute on function totals.sum_of from public`,
      `grant execute on function totals.sum_of to ${role}`,
      `revoke usage on type totals.state from public`,
      `grant usage on type totals.state to ${role}`,
      `alter default privileges in schema totals grant select on tables to ${role}`,
      `alter default privileges in schema totals grant execute on functions to ${role}`,
      `alter view totals.doubled owner to "${owner.name}"`,
    ]) {
      await ask(grant);
    }
    const before = await ask(aclOf('totals'));

    await rebuild(initOf(2, 'create table added (a int); insert into added values (7)'));

    const after = await ask(aclOf('totals'));
    const added = after.find(({ name }) => name === 'added');
    expect(after.filter((row) => row !== added)).toEqual(before);
    expect(await asReader('select n from totals.total')).toEqual([{ n: 2 }]);
    // By the default privileges.
    expect(await asReader('select a from totals.added')).toEqual([{ a: 7 }]);

    // What was taken back meanwhile doesn't come back with the one before.
    await ask(`revoke select on totals.frozen from ${role}`);
    await sink.activate(name, first.build, undefined);

    expect(await asReader('select n from totals.total')).toEqual([{ n: 1 }]);
    await expect(asReader('select one from totals.frozen')).rejects.toThrow('permission denied');
  });

  it('keeps the views of other schemas upon it, which show the rebuilt rows', async () => {
    const { ask, asReader, rebuild, sink, role, live } = await useModel();
    const first = await live();
    for (const each of [
      'create schema reports',
      'create view reports.sum (total) with (security_barrier) as select sum(n) from totals.total',
      'create view reports.both as select s.total, d.n from reports.sum s, totals.doubled d',
      `grant usage on schema reports to ${role}`,
      `grant select on reports.sum, reports.both to ${role}`,
    ]) {
      await ask(each);
    }
    for (const value of [2, 3]) {
      await rebuild();
      expect(await asReader('select * from reports.both')).toEqual([{ total: `${value}`, n: value * 2 }]);
    }
    await expect(sink.activate(name, first.build, undefined)).rejects.toThrow('no build');
    expect(
      await ask(`select reloptions::text as options from pg_class where oid = 'reports.sum'::regclass`),
    ).toEqual([{ options: '{security_barrier=true}' }]);
  });

  it.each([
    ['a foreign key', 'create table public.mine (total int references totals.total)', 'mine_total_fkey'],
    [
      'a materialized view',
      'create materialized view public.mine as select * from totals.total',
      'materialized view public.mine',
    ],
    ['a column of its type', 'create table public.mine (s totals.state)', 'public.mine'],
    [
      'a default of its sequence',
      `create table public.mine (id int default nextval('totals.total_id_seq'))`,
      'public.mine',
    ],
    ['a table that inherits it', 'create table public.mine () inherits (totals.total)', 'public.mine'],
    ['a publication', 'create publication mine for table totals.total', 'publication mine'],
    [
      'a function of its type',
      `create function public.mine(totals.total) returns int language sql as 'select 1'`,
      'public.mine',
    ],
  ])(
    'is refused before its work when %s hangs on the live one, and nothing is dropped',
    async (_what, make, named) => {
      const { ask, rebuild } = await useModel();
      await ask(make);

      await expect(rebuild()).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(named) as string,
      });

      expect(await ask('select n from totals.total')).toEqual([{ n: 1 }]);
      expect(await ask(`select from pg_namespace where nspname = 'totals__next'`)).toEqual([]);
    },
  );

  it('whose columns a view of another schema can no longer have is refused at the switch, and names the view', async () => {
    const { ask, rebuild } = await useModel();
    await ask('create view public.mine as select n from totals.total');
    const other = async ({ client }: SqlProjectionContext): Promise<void> => {
      await client.query('create table total (m text)');
    };

    await expect(rebuild(other)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('public.mine') as string,
    });

    expect(await ask('select n from public.mine')).toEqual([{ n: 1 }]);
  });

  it('waits no longer than seconds for who reads a view, and holds up nobody else', async () => {
    const { ask, database, rebuild, sink } = await useModel();
    await ask('create view public.mine as select n from totals.total');
    const long = await connect(database.directUrl);
    await long.query('begin');
    await long.query('select n from public.mine');

    await expect(rebuild()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('public.mine') as string,
    });

    expect(await ask('select n from public.mine')).toEqual([{ n: 1 }]);
    await long.query('commit');
    const next = (await sink.open({ name, version: 2, shards: 1 }, undefined)).find(
      ({ role }) => role === 'next',
    );
    await sink.activate(name, next?.build ?? 0, undefined);
    expect(await ask('select n from public.mine')).toEqual([{ n: 2 }]);
  });

  it('never drops what hangs on the one before', async () => {
    const { ask, rebuild, sink } = await useModel();
    const build = await rebuild();
    await ask('create view public.mine as select n from totals__previous.total');

    await expect(rebuild()).rejects.toThrow('view public.mine');

    expect(await ask('select n from public.mine')).toEqual([{ n: 1 }]);
    const previous = (await sink.open({ name, version: 2, shards: 1 }, undefined)).find(
      ({ role }) => role === 'previous',
    );
    await expect(sink.drop(name, previous?.build ?? 0, undefined)).rejects.toThrow('view public.mine');
    expect(build).toBe(2);
  });
});
