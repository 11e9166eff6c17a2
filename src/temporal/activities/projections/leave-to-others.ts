import { Context } from '@temporalio/activity';
import { describeError } from '../../../core/values/describe-error.js';
import { describeUnknown, mergeTraces, type SearchTrace } from '../../shared/search-trace.js';
import { unknownHereFailure } from '../unknown-here.js';
import { UnknownHereError } from './projection-registry.js';

/** Most characters of an error that are passed to the next attempt. */
const longestReason = 500;

/** Milliseconds before the next attempt. They grow, since each attempt costs something and a deploy may take an hour. */
export function delayOf(attempt: number): number {
  if (attempt <= 50) return 200;
  return attempt <= 100 ? 1_000 : 5_000;
}

/**
 * Leaves a task that this worker doesn't know enough for to another: while a release is rolled out, not all workers
 * know everything. The last failure lists what all of them know, and its details say whether one knew the projection
 * and was held up.
 */
export async function leavingToOthers<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const context = Context.current();
    const { attempt, isLocal } = context.info;
    const earlier = (context.info.heartbeatDetails ?? {}) as SearchTrace;
    const trace = mergeTraces(earlier, traceOf(error));
    // Sent with the failure, and part of the time-out when the time is up.
    if (!isLocal) context.heartbeat(trace);
    if (!(error instanceof UnknownHereError)) throw error;
    const retry = isLocal ? { nonRetryable: true as const } : { nextRetryDelay: delayOf(attempt) };
    const { unknown = error, known = [] } = trace;
    throw unknownHereFailure(describeUnknown(unknown, known), retry, [trace]);
  }
}

function traceOf(error: unknown): SearchTrace {
  if (!(error instanceof UnknownHereError)) {
    return { heldUpBy: describeError(error).slice(0, longestReason) };
  }
  const { what, advice, known, isOfVersion } = error;
  return { known, unknown: { what, advice, ...(isOfVersion && { isOfVersion }) } };
}

/** As {@link leavingToOthers}, for an activity whose heartbeats say something else. */
export function leaveToOthers(error: unknown): never {
  if (!(error instanceof UnknownHereError)) throw error;
  const retry = { nextRetryDelay: delayOf(Context.current().info.attempt) };
  throw unknownHereFailure(error.message, retry, [traceOf(error)]);
}
