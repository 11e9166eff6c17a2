import type { Pool } from 'pg';
import { pg } from '../library.js';

/** Connections of each contender that has a pool. */
export const poolSize = 16;

export function openPool(url: string): Pool {
  const parse = pg.types.getTypeParser(pg.types.builtins.INT8) as (text: string) => unknown;
  if (parse('1') !== '1') throw new Error("Some package has replaced the type parsers of the library's pg.");
  return ignoreIdleErrors(new pg.Pool({ connectionString: url, max: poolSize }));
}

/** A pool that has ended still has connections for a moment, in which its database may be dropped. */
export function ignoreIdleErrors(pool: Pool): Pool {
  return pool.on('error', () => undefined);
}

/** Runs statements one by one on a connection of their own. */
export async function runSql(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
}
