import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { SqlRow } from '../sql-port.js';

/** The tables of 0001_projections.sql, and columns that tell them from others of the same name. */
const own: Readonly<Record<string, readonly string[]>> = {
  builds: ['projection', 'build', 'role', 'version'],
  shares: ['projection', 'build', 'share', 'token', 'store_id', 'position'],
  parked: ['projection', 'build', 'share', 'event_id', 'stream_id', 'status'],
  tokens: ['last_value', 'is_called'],
};

/**
 * Whether the tables of the sink are all there, in their newest form.
 *
 * @param found names and columns of those with such a name
 * @throws InvalidArgumentError when one is somebody else's
 */
export function isSetUp(found: readonly SqlRow[], schema: string): boolean {
  const columns = new Map(found.map(([name, list]) => [name as string, (list as string).split(',')]));
  for (const [name, has] of columns) {
    if (own[name]?.every((column) => has.includes(column)) === true) continue;
    throw new InvalidArgumentError(
      `The schema "${schema}" has a "${name}" that isn't the projection sink's, which keeps a table or sequence of that name there: give the sink a 'schema' of its own.`,
    );
  }
  return (
    Object.keys(own).every((name) => columns.has(name)) &&
    columns.get('builds')?.includes('fingerprint') === true
  );
}
