import { translateSqlError } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';

/**
 * Runs a call and turns the driver's errors into typed ones.
 *
 * @param commitId the commit id of the append that the call belongs to
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
