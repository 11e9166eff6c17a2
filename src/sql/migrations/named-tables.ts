import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { eq } from '../operators.js';

/** A query for the relations in schema `$1` with one of the names, and their columns, which tell whose they are. */
export function tablesNamed(names: readonly string[]): string {
  return `select c.relname, pg_catalog.string_agg(a.attname::pg_catalog.text, ',')
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid ${eq} c.relnamespace
  left join pg_catalog.pg_attribute a on a.attrelid ${eq} c.oid and not a.attisdropped
  where n.nspname ${eq} $1
    and c.relname::pg_catalog.text ${eq} any (array[${names.map((name) => `'${name}'`).join(', ')}])
  group by c.relname order by c.relname`;
}

/** @param whose the owner that the library expects, such as `event store`; its second word is the user's term */
export function somebodyElses(
  schema: string,
  name: string,
  whose: 'event store' | 'projection sink',
): InvalidArgumentError {
  return new InvalidArgumentError(
    `The schema "${schema}" has a "${name}" that isn't the ${whose}'s, which keeps a table or sequence of that name there: ` +
      `give the ${whose.split(' ')[1]} a 'schema' of its own.`,
  );
}
