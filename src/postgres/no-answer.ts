import { withTimeLimit } from '../core/values/time-limit.js';

/** The other end of a connection gave no answer in time. The error has no SQLSTATE, so the connection is given up. */
export class NoAnswerError extends Error {
  constructor(milliseconds: number, what = 'Query read timeout: no answer') {
    super(`${what} in ${milliseconds} ms`);
  }
}

/** @throws NoAnswerError when the promise takes longer; its later result is ignored */
export function within<T>(milliseconds: number, promise: Promise<T>, what?: string): Promise<T> {
  return withTimeLimit(milliseconds, promise, () => {
    throw new NoAnswerError(milliseconds, what);
  });
}
