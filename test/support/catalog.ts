import { query } from './postgres.js';

/** What a schema is made of, as PostgreSQL's catalogs describe it: one line an object. */
const objects = `
  with s as (select oid, nspname from pg_namespace where nspname = $1)
  select 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || ' not null ' || a.attnotnull || ' collate ' || coalesce(l.collname, '') || ' default '
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  from s join pg_class c on c.relnamespace = s.oid and c.relkind = 'r'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_collation l on l.oid = a.attcollation
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  union all
  select 'relation ' || c.relkind::text || ' ' || c.relname || ' ' || coalesce(c.reloptions::text, '')
  from s join pg_class c on c.relnamespace = s.oid
  union all
  select 'constraint ' || n.conname || ' ' || pg_get_constraintdef(n.oid) from s join pg_constraint n on n.connamespace = s.oid
  union all
  select pg_get_indexdef(c.oid) from s join pg_class c on c.relnamespace = s.oid and c.relkind = 'i'
  union all
  select 'sequence ' || q::text from s join pg_class c on c.relnamespace = s.oid and c.relkind = 'S'
    join lateral (
      select seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle from pg_sequence where seqrelid = c.oid
    ) q on true
  union all
  select pg_get_functiondef(p.oid) from s join pg_proc p on p.pronamespace = s.oid
  union all
  select pg_get_triggerdef(t.oid) from s join pg_class c on c.relnamespace = s.oid
    join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal`;

/** The objects of a schema without its name, so that two schemas can be compared. */
export async function catalogOf(directUrl: string, schema: string): Promise<readonly string[]> {
  const rows = await query<{ object: string }>(directUrl, `select o.object from (${objects}) o (object)`, [
    schema,
  ]);
  return rows.map(({ object }) => object.replaceAll(schema, 'the_schema')).sort();
}
