import { pauseAfter, type Backoff } from '../core/values/backoff.js';
import { wait } from '../core/values/wait.js';
import { isRetryableSqlError } from './sql-errors.js';
import type { SqlPort } from './sql-port.js';

const backoff: Backoff = { first: 40, longest: 500, jitter: { part: 0.5, random: Math.random } };

/**
 * Repeats a call while it fails for a retryable reason, until the deadline; then throws the last error. The call must
 * be safe to repeat.
 *
 * @param deadline by `performance.now()`
 */
export async function retrying<T>(
  call: (attempt: number) => Promise<T>,
  deadline: number,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (error) {
      const pause = pauseAfter(attempt, backoff);
      if (!isRetryableSqlError(error) || performance.now() + pause > deadline) throw error;
      await wait(pause);
    }
  }
}

/** A port that repeats each call for `timeout` milliseconds while it fails for a retryable reason. */
export function retryingPort(port: SqlPort, timeout: number): SqlPort {
  return { query: (...args) => retrying(() => port.query(...args), performance.now() + timeout) };
}
