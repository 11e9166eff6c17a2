import { ApplicationFailure, CancelledFailure, Context, log } from '@temporalio/activity';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { toApplicationFailure } from '../shared/application-failure.js';
import { unknownHereType } from '../shared/command-lane.js';

/** Where the activities write their log; Temporal's `Logger` and most others fit. */
export interface ActivityLogger {
  debug(message: string, attributes?: Record<string, unknown>): unknown;
  info(message: string, attributes?: Record<string, unknown>): unknown;
  warn(message: string, attributes?: Record<string, unknown>): unknown;
  error(message: string, attributes?: Record<string, unknown>): unknown;
}

const silent = (): void => undefined;

/** The activity's own logger, which adds the workflow, run and attempt; none outside an activity. */
export function activityLogger(): ActivityLogger {
  return isInActivity() ? log : { debug: silent, info: silent, warn: silent, error: silent };
}

/**
 * Runs an operation and logs its duration and result when it ends. An expected refusal, such as a conflict, is a
 * warning; a failure that keeps the store from working is an error; a cancellation, as when the worker shuts down, is
 * neither.
 *
 * @param givenLogger default: the activity's own
 * @param level of the entry when it succeeds
 */
export async function logged<T>(
  givenLogger: ActivityLogger | undefined,
  operation: string,
  attributes: Record<string, unknown>,
  run: () => Promise<T>,
  level: 'debug' | 'info',
  describe: (result: T) => Record<string, unknown> = () => ({}),
): Promise<T> {
  const logger = givenLogger ?? activityLogger();
  const start = performance.now();
  const durationMs = (): number => Math.round((performance.now() - start) * 10) / 10;
  try {
    const result = await run();
    logger[level](operation, { ...attributes, ...describe(result), durationMs: durationMs() });
    return result;
  } catch (error) {
    if (error instanceof CancelledFailure) {
      const { message: reason } = error;
      logger.debug(`${operation} cancelled`, { ...attributes, reason, durationMs: durationMs() });
      throw error;
    }
    if (error instanceof ApplicationFailure && error.type === unknownHereType) {
      logger.debug(`${operation} left to another worker`, { ...attributes, reason: error.message });
      throw error;
    }
    const code = findEventStoreError(error)?.code;
    const failureLevel = code === undefined || code.startsWith('STORE_') ? 'error' : 'warn';
    logger[failureLevel](`${operation} failed`, { ...attributes, code, error, durationMs: durationMs() });
    throw toApplicationFailure(error);
  }
}

export function isInActivity(): boolean {
  try {
    return Context.current() !== undefined;
  } catch {
    return false;
  }
}

export function isInLocalActivity(): boolean {
  return isInActivity() && Context.current().info.isLocal;
}
