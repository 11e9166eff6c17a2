import { escapeIdentifier } from 'pg';
import { createDatabase, createRole, query, type Database } from './postgres.js';

/**
 * All that PostgreSQL has names for, once more in a schema `shadow`: every function (in place of aggregates too) and operator
 * that nobody may execute, and types, views and collations that fit nowhere. Who finds one of them by a name without
 * `pg_catalog` gets an error as soon as the statement is planned or begins, whether or not it would have come to a call.
 */
const createShadows = `
  create schema shadow;
  grant usage on schema shadow to public;
  do $$
  declare
    command text;
  begin
    for command in
      select format('create function shadow.%I(%s) returns %s language internal as %L', p.proname,
        pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
        case p.prokind when 'f' then p.prosrc else 'int4pl' end)
      from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace = 'pg_catalog'::regnamespace and l.lanname = 'internal'
        and not p.proargtypes::oid[] && array['internal'::regtype, 'cstring'::regtype]::oid[]
        and p.prorettype not in ('internal'::regtype, 'cstring'::regtype)
      union all
      select format('create operator shadow.%s (leftarg = %s, rightarg = %s, function = shadow.%I)', o.oprname,
        format_type(o.oprleft, null), format_type(o.oprright, null), p.proname)
      from pg_operator o join pg_proc p on p.oid = o.oprcode
      where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprleft <> 0
      union all
      select format('create view shadow.%I as select 1 as trap', c.relname)
      from pg_class c where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v')
      union all
      select format('create type shadow.%I as (trap integer)', t.typname)
      from pg_type t where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype = 'b' and t.typcategory <> 'A'
      union all
      select 'create collation shadow."C" from pg_catalog."POSIX"'
    loop
      begin
        execute command;
      exception when others then
        null; -- such as one with a parameter that only PostgreSQL's own may have
      end;
    end loop;
  end $$;
  revoke execute on all functions in schema shadow from public;`;

/** A database with the shadows, and the address of it as a role whose sessions look for names among them first. */
export async function createShadowedDatabase(): Promise<{
  readonly database: Database;
  readonly shadowedUrl: string;
  /** The same, never through a pooler. */
  readonly directShadowedUrl: string;
}> {
  const [database, role] = await Promise.all([createDatabase(), createRole()]);
  const [inDatabase, to] = [`in database ${escapeIdentifier(database.name)}`, escapeIdentifier(role.name)];
  await query(database.directUrl, createShadows);
  await query(database.directUrl, `grant create on database ${escapeIdentifier(database.name)} to ${to}`);
  await query(database.directUrl, `alter role ${to} ${inDatabase} set search_path = shadow, pg_catalog`);
  return { database, shadowedUrl: role.as(database.url), directShadowedUrl: role.as(database.directUrl) };
}

/** What was made with the help of a shadow: defaults, constraints and columns keep what they have found. */
export async function findShadowed({ directUrl }: Database): Promise<readonly string[]> {
  const rows = await query<{ object: string }>(
    directUrl,
    `with own as (
       select 'pg_proc'::regclass as class, oid from pg_proc where pronamespace = 'shadow'::regnamespace
       union all select 'pg_operator', oid from pg_operator where oprnamespace = 'shadow'::regnamespace
       union all select 'pg_class', oid from pg_class where relnamespace = 'shadow'::regnamespace
       union all select 'pg_type', oid from pg_type where typnamespace = 'shadow'::regnamespace
       union all select 'pg_collation', oid from pg_collation where collnamespace = 'shadow'::regnamespace
     )
     select pg_describe_object(d.classid, d.objid, d.objsubid) as object from pg_depend d
     join own on (own.class, own.oid) = (d.refclassid, d.refobjid)
     where not exists (select from own other where (other.class, other.oid) = (d.classid, d.objid))
       and d.classid <> 'pg_rewrite'::regclass`,
  );
  return rows.map(({ object }) => object);
}
