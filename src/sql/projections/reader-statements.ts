// Statements for the views and grants that readers have on a read model. They run with `pg_catalog, pg_temp` as the
// search path, so that names and operators are PostgreSQL's own, and all other names include their schemas.

/** The schema of a dependent object, by its catalog; null for an object in no schema. */
const schemaOfDependant = `case d.classid
    when 'pg_class'::regclass then (select relnamespace from pg_class where oid = d.objid)
    when 'pg_type'::regclass then (select typnamespace from pg_type where oid = d.objid)
    when 'pg_proc'::regclass then (select pronamespace from pg_proc where oid = d.objid)
    when 'pg_constraint'::regclass then (select connamespace from pg_constraint where oid = d.objid)
    when 'pg_operator'::regclass then (select oprnamespace from pg_operator where oid = d.objid)
    when 'pg_opclass'::regclass then (select opcnamespace from pg_opclass where oid = d.objid)
    when 'pg_opfamily'::regclass then (select opfnamespace from pg_opfamily where oid = d.objid)
    when 'pg_statistic_ext'::regclass then (select stxnamespace from pg_statistic_ext where oid = d.objid)
    when 'pg_collation'::regclass then (select collnamespace from pg_collation where oid = d.objid)
    when 'pg_ts_config'::regclass then (select cfgnamespace from pg_ts_config where oid = d.objid)
    when 'pg_ts_dict'::regclass then (select dictnamespace from pg_ts_dict where oid = d.objid)
    when 'pg_default_acl'::regclass then (select defaclnamespace from pg_default_acl where oid = d.objid)
    when 'pg_rewrite'::regclass then (select relnamespace from pg_rewrite r join pg_class c on c.oid = r.ev_class where r.oid = d.objid)
    when 'pg_trigger'::regclass then (select relnamespace from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.oid = d.objid)
    when 'pg_policy'::regclass then (select relnamespace from pg_policy p join pg_class c on c.oid = p.polrelid where p.oid = d.objid)
    when 'pg_attrdef'::regclass then (select relnamespace from pg_attrdef a join pg_class c on c.oid = a.adrelid where a.oid = d.objid)
  end`;

/**
 * The objects in another schema, or in none, that depend on the objects of a schema: the description of each, and for a
 * plain view its name, query and options.
 */
export const outsiders = `with model as (select oid from pg_namespace where nspname = $1),
  inside (classid, objid) as (
    select 'pg_namespace'::regclass, oid from model
    union all select 'pg_class'::regclass, oid from pg_class where relnamespace in (select oid from model)
    union all select 'pg_type'::regclass, oid from pg_type where typnamespace in (select oid from model)
    union all select 'pg_proc'::regclass, oid from pg_proc where pronamespace in (select oid from model)
    union all select 'pg_constraint'::regclass, oid from pg_constraint where connamespace in (select oid from model)
    union all select 'pg_operator'::regclass, oid from pg_operator where oprnamespace in (select oid from model)
    union all select 'pg_opclass'::regclass, oid from pg_opclass where opcnamespace in (select oid from model)
    union all select 'pg_opfamily'::regclass, oid from pg_opfamily where opfnamespace in (select oid from model)
    union all select 'pg_collation'::regclass, oid from pg_collation where collnamespace in (select oid from model)
    union all select 'pg_ts_config'::regclass, oid from pg_ts_config where cfgnamespace in (select oid from model)
    union all select 'pg_ts_dict'::regclass, oid from pg_ts_dict where dictnamespace in (select oid from model)
  ),
  hanging as (
    select distinct d.classid, d.objid, r.ev_class as relation, r.rulename
    from inside i join pg_depend d on d.refclassid = i.classid and d.refobjid = i.objid
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    cross join lateral (select ${schemaOfDependant} as schema) s
    where (s.schema is null or s.schema not in (select oid from model union all select 'pg_toast'::regnamespace))
      and not exists (select from pg_trigger t where d.classid = 'pg_trigger'::regclass and t.oid = d.objid and t.tgisinternal)
      and d.classid not in ('pg_amop'::regclass, 'pg_amproc'::regclass, 'pg_cast'::regclass)
  )
  select distinct case when rulename = '_RETURN' then pg_describe_object('pg_class'::regclass, relation, 0)
      else pg_describe_object(classid, objid, 0) end,
    case when view.oid is not null then format('%I.%I', view.relnamespace::regnamespace::name, view.relname) end,
    pg_get_viewdef(view.oid),
    array_to_string(view.reloptions, ', ')
  from hanging left join pg_class view on view.oid = relation and rulename = '_RETURN' and view.relkind = 'v'
  order by 1`;

/** Locks the tables of a schema, so that nobody creates objects that depend on them meanwhile. */
export const lockTables = `select format('lock table %s in access exclusive mode', string_agg(format('%I.%I', nspname, relname), ', '))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where nspname = $1 and relkind in ('r', 'p') having count(*) > 0`;

const grantee = `case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end`;
const withGrantOption = `case when acl.is_grantable then ' with grant option' else '' end`;
/** The arguments of a function, without the schema of either build. */
const signature = (alias: string): string =>
  `replace(replace(pg_get_function_identity_arguments(${alias}.oid), quote_ident($1) || '.', ''), quote_ident($2) || '.', '')`;

/**
 * The statements that give the objects of schema `$2` the owners and grants of the objects with the same names in `$1`.
 * With `$3`, they first revoke the grants on `$2`. Objects without a counterpart get the default privileges.
 */
export const carryOver = `with schemas as (
    select l.oid as live, n.oid as next from pg_namespace l, pg_namespace n where l.nspname = $1 and n.nspname = $2
  ),
  likes (kind, name, had, has, owner, own, defaults) as (
    select 'schema', quote_ident($2), l.nspacl, n.nspacl, l.nspowner, n.nspowner, null::"char"
    from schemas s join pg_namespace l on l.oid = s.live join pg_namespace n on n.oid = s.next
    union all
    select case n.relkind when 'S' then 'sequence' else 'table' end, format('%I.%I', $2, n.relname), l.relacl, n.relacl,
      case when exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = n.oid
        and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')) then n.relowner else coalesce(l.relowner, n.relowner) end,
      n.relowner, case when l.oid is null then case n.relkind when 'S' then 'S'::"char" else 'r'::"char" end end
    from schemas s join pg_class n on n.relnamespace = s.next and n.relkind in ('r', 'v', 'm', 'S', 'f', 'p')
    left join pg_class l on l.relnamespace = s.live and l.relname = n.relname and l.relkind in ('r', 'v', 'm', 'S', 'f', 'p')
      and (l.relkind = 'S') = (n.relkind = 'S')
    union all
    select 'routine', format('%I.%I(%s)', $2, n.proname, pg_get_function_identity_arguments(n.oid)), l.proacl, n.proacl,
      coalesce(l.proowner, n.proowner), n.proowner, case when l.oid is null then 'f'::"char" end
    from schemas s join pg_proc n on n.pronamespace = s.next
    left join pg_proc l on l.pronamespace = s.live and l.proname = n.proname and ${signature('l')} = ${signature('n')}
    union all
    select 'type', format('%I.%I', $2, n.typname), l.typacl, n.typacl, coalesce(l.typowner, n.typowner), n.typowner,
      case when l.oid is null then 'T'::"char" end
    from schemas s join pg_type n on n.typnamespace = s.next
      and (n.typtype in ('e', 'd', 'r') or n.typtype = 'c' and (select relkind from pg_class where oid = n.typrelid) = 'c')
    left join pg_type l on l.typnamespace = s.live and l.typname = n.typname and l.typtype = n.typtype
  ),
  statements (step, text) as (
    select 1, format('alter %s %s owner to %I', kind, name, pg_get_userbyid(owner)) from likes where owner <> own
    union all
    select distinct 2, format('revoke all on %s %s from %s', kind, name, ${grantee})
    from likes cross join lateral aclexplode(has) acl where $3::boolean and defaults is null and acl.grantee not in (own, owner)
    union all
    select 3, format('revoke all on %s %s from public', kind, name)
    from likes where kind in ('routine', 'type') and had is not null
      and not exists (select from aclexplode(had) acl where acl.grantee = 0)
    union all
    select 4, format('grant %s on %s %s to %s%s', string_agg(acl.privilege_type, ', '), kind, name, ${grantee}, ${withGrantOption})
    from likes cross join lateral aclexplode(had) acl where acl.grantee <> owner
    group by kind, name, acl.grantee, acl.is_grantable
    union all
    select 4, format('grant %s on %I.%I to %s%s',
      string_agg(format('%s (%I)', acl.privilege_type, a.attname), ', '), $2, n.relname, ${grantee}, ${withGrantOption})
    from schemas s join pg_class n on n.relnamespace = s.next join pg_class l on l.relnamespace = s.live and l.relname = n.relname
    join pg_attribute a on a.attrelid = l.oid and not a.attisdropped
    join pg_attribute b on b.attrelid = n.oid and b.attname = a.attname and not b.attisdropped
    cross join lateral aclexplode(a.attacl) acl group by n.relname, acl.grantee, acl.is_grantable
    union all
    select 4, format('grant %s on %s %s to %s%s', string_agg(acl.privilege_type, ', '), kind, name, ${grantee}, ${withGrantOption})
    from likes join pg_default_acl d on d.defaclobjtype = defaults and d.defaclrole = own
      and d.defaclnamespace = (select live from schemas)
    cross join lateral aclexplode(d.defaclacl) acl where acl.grantee <> own group by kind, name, acl.grantee, acl.is_grantable
    union all
    select 5, format('alter default privileges for role %I in schema %I grant %s on %s to %s%s', pg_get_userbyid(d.defaclrole), $2,
      string_agg(acl.privilege_type, ', '),
      case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' end,
      ${grantee}, ${withGrantOption})
    from pg_default_acl d cross join lateral aclexplode(d.defaclacl) acl where d.defaclnamespace = (select live from schemas)
    group by d.defaclrole, d.defaclobjtype, acl.grantee, acl.is_grantable
  )
  select text from statements order by step, text`;
