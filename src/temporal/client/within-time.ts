import { setMaxListeners } from 'node:events';
import type { Client } from '@temporalio/client';
import { longestTimer } from '../../core/values/longest-timer.js';
import { unlessAborted } from '../../core/values/unless-aborted.js';

/** The limits of a wait. */
export interface WaitLimits {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Thrown by {@link withinTime}; never reaches the user. */
export class TimeIsUpError extends Error {
  constructor(timeout: number) {
    super(`No answer through Temporal in ${timeout} ms.`);
  }
}

/**
 * Runs a call through Temporal within limits, at which its requests are aborted, too.
 *
 * @throws {@link TimeIsUpError} · the reason of the signal, as soon as it aborts
 */
export function withinTime<T>(client: Client, limits: WaitLimits, call: () => Promise<T>): Promise<T> {
  // An aborted request ends soon, but its caller stops waiting at once.
  return untilTimeIsUp(limits, (end) => client.withAbortSignal(end, call));
}

/**
 * Waits within limits for work that may go on, for other callers.
 *
 * @param run gets a signal that aborts when the wait ends
 * @throws {@link TimeIsUpError} · the reason of the signal, as soon as it aborts
 */
export async function untilTimeIsUp<T>(
  { timeout, signal }: WaitLimits,
  run: (end: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeIsUp = new AbortController();
  const timer = setTimeout(
    () => {
      timeIsUp.abort(new TimeIsUpError(timeout));
    },
    Math.min(timeout, longestTimer),
  );
  const end = signal === undefined ? timeIsUp.signal : AbortSignal.any([timeIsUp.signal, signal]);
  // The SDK adds a listener for each of its requests, which may be many; Node would report more than ten as a leak.
  setMaxListeners(0, end);
  try {
    return await unlessAborted(end, run);
  } finally {
    clearTimeout(timer);
  }
}
