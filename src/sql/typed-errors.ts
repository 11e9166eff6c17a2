import { translateSqlError } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';

/**
 * Runs something whose errors of a driver become typed ones.
 *
 * @param commitId of the append that it is about
 */
export async function typedErrors<T>(run: () => Promise<T>, commitId?: string): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw translateSqlError(error, commitId);
  }
}

/** A port that throws typed errors. */
export function typedPort(port: SqlPort): SqlPort {
  return { query: (...args) => typedErrors(() => port.query(...args)) };
}
