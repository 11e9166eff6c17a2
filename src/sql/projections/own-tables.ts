import { somebodyElses, tablesNamed } from '../migrations/named-tables.js';
import type { SqlRow } from '../sql-port.js';

/** The tables of 0001_projections.sql, and columns that tell them from others of the same name. */
const own: Readonly<Record<string, readonly string[]>> = {
  builds: ['projection', 'build', 'role', 'version'],
  shards: ['projection', 'build', 'shard', 'token', 'store_id', 'position'],
  parked: ['projection', 'build', 'shard', 'event_id', 'stream_id', 'status'],
  tokens: ['last_value', 'is_called'],
};

/** A query for the relations in schema `$1` that have the names of these tables. */
export const findTables = tablesNamed(Object.keys(own));

/**
 * Whether the tables of the sink are all there, in their newest form.
 *
 * @param found names and columns of the relations with such a name
 * @throws InvalidArgumentError when a relation is somebody else's
 */
export function isSetUp(found: readonly SqlRow[], schema: string): boolean {
  const columns = new Map(found.map(([name, list]) => [name as string, (list as string).split(',')]));
  for (const [name, has] of columns) {
    if (own[name]?.every((column) => has.includes(column)) === true) continue;
    throw somebodyElses(schema, name, 'projection sink');
  }
  return (
    Object.keys(own).every((name) => columns.has(name)) &&
    columns.get('builds')?.includes('fingerprint') === true &&
    columns.get('shards')?.includes('seen_id') === true
  );
}
