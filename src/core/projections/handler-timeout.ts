import type { OptionCheck } from '../options/options.js';
import { isPromise } from '../values/is-promise.js';
import { longestTimer } from '../values/longest-timer.js';
import { withTimeLimit } from '../values/time-limit.js';

/** Milliseconds: longer than the time-outs of most drivers and clients, whose own errors say more. */
export const defaultHandlerTimeout = 60_000;

export const isHandlerTimeout: OptionCheck = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= longestTimer
    ? undefined
    : `an integer of milliseconds from 1 to ${longestTimer}`;

/**
 * Waits for a handler, but no longer than the given time. Then it may still be running, and its outcome is ignored.
 *
 * @throws Error when it takes longer, which counts as if the handler had thrown it
 */
export async function inTime<T>(milliseconds: number, what: string, result: T | Promise<T>): Promise<T> {
  if (!isPromise(result)) return result;
  return withTimeLimit(milliseconds, result, () => {
    throw new Error(
      `${what} was not done after ${milliseconds} ms (handlerTimeout); it may still be under way.`,
    );
  });
}
