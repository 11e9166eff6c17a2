import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  TimeoutFailure,
  type ActivityInterfaceFor,
  type ActivityOptions,
} from '@temporalio/workflow';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import { ProjectionUnknownError } from '../../core/errors/projection-errors.js';
import type { ProjectionActivities } from '../shared/activity-types.js';
import { unknownHereType } from '../shared/command-lane.js';
import { rethrowTyped } from '../shared/remote-store.js';
import { describeUnknown, mergeTraces, type SearchTrace } from '../shared/search-trace.js';

/** Milliseconds that an operator waits by default. */
export const patience = 20_000;

export type ProjectionTasks = ActivityInterfaceFor<ProjectionActivities>;

/**
 * Milliseconds of a search for a worker that knows the projection. They grow from `firstSearch` to `longestSearch`
 * while none does or its store can't be reached. The caller is answered within 10 seconds.
 */
const firstSearch = 9_000;
const longestSearch = 10 * 60_000;
/** Least milliseconds that another worker gets to answer what this one can't. */
const leastOther = 1_000;

/**
 * How many workers are asked without a pause, and the milliseconds until the next are. Without a pause, because after
 * one the server picks the worker that asked for work last, which is the same as before.
 */
const triesAtOnce = 12;
const pauseBetween = 1_000;
/** Type of the failure of a worker that lacks an activity, since its release had no projections. */
const notRegistered = 'NotFoundError';
const withoutActivities = {
  what: 'projections',
  advice: 'Register EventStorePlugin, or createProjectionActivities.',
};

const retry = { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' } as const;

/** Limits of a long activity. Without heartbeats, a worker that dies in it would hold up the projection for the whole time. */
export function longActivity(heartbeatTimeout: number, limit?: number): ActivityOptions {
  return {
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout,
    ...(limit !== undefined && { scheduleToCloseTimeout: limit }),
  };
}

/**
 * Does a task for a waiting caller: by a local activity first, then, if this worker doesn't know the projection, by
 * an activity that another worker may take.
 *
 * @param limit milliseconds
 * @throws the typed error, or the failure, of the last attempt
 */
export async function quickly<T>(limit: number, call: (tasks: ProjectionTasks) => Promise<T>): Promise<T> {
  const began = Date.now();
  try {
    return await rethrowTyped(
      call(
        proxyLocalActivities<ProjectionActivities>({
          startToCloseTimeout: limit,
          scheduleToCloseTimeout: limit,
          // A short fault may be over by then; a longer one is reported to the caller.
          retry: { initialInterval: '100 milliseconds', maximumAttempts: 2 },
        }),
      ),
    );
  } catch (error) {
    // A worker that shuts down cancels the local activity.
    const isCutShort = isCancellation(error) && !CancellationScope.current().consideredCancelled;
    if (!isCutShort && traceOf(error).unknown === undefined) throw error;
  }
  const end = Math.max(began + limit, Date.now() + leastOther);
  return rethrowTyped(askAround({ end, isEager: false }, call));
}

interface AskOptions {
  /** By the workflow's clock. */
  readonly end: number;
  /** Whether the workflow's own worker is asked first. */
  readonly isEager: boolean;
  /** Options of each activity. Default: it gets the time that is left. */
  readonly activity?: ActivityOptions;
}

/** No worker knew enough. */
class UnknownToAllError extends ProjectionUnknownError {
  readonly heldUpBy: string | undefined;

  constructor(message: string, known: readonly string[], heldUpBy: string | undefined) {
    super(message, { known });
    this.heldUpBy = heldUpBy;
  }
}

/**
 * Asks one worker after the other until one knows enough, each by an activity of its own: the server retries a failed
 * activity after a second at the earliest, and mostly on the same worker.
 *
 * @throws UnknownToAllError when the time is up · any other failure of an activity
 */
async function askAround<T>(
  { end, isEager, activity }: AskOptions,
  call: (tasks: ProjectionTasks, tries: number) => Promise<T>,
): Promise<T> {
  let found: SearchTrace = {};
  for (let tries = 0; ; tries++) {
    const rest = Math.max(end - Date.now(), leastOther);
    const tasks = proxyActivities<ProjectionActivities>({
      ...(activity?.startToCloseTimeout === undefined && { scheduleToCloseTimeout: rest }),
      ...activity,
      retry: {
        initialInterval: '100 milliseconds',
        maximumInterval: '10 seconds',
        nonRetryableErrorTypes: [unknownHereType, notRegistered],
      },
      allowEagerDispatch: isEager && tries === 0,
    });
    try {
      return await call(tasks, tries);
    } catch (error) {
      const trace = traceOf(error);
      if (trace.unknown === undefined) throw error;
      found = mergeTraces(found, trace);
      const { unknown = trace.unknown, known = [], heldUpBy } = found;
      if (Date.now() >= end) throw new UnknownToAllError(describeUnknown(unknown, known), known, heldUpBy);
      const atOnce = trace.unknown.triesAtOnce ?? triesAtOnce;
      if (tries % atOnce === atOnce - 1) await sleep(pauseBetween);
    }
  }
}

/**
 * Has a task done for as long as it takes: by a worker that is found soon, or by one that starts later.
 *
 * @param activity options of the activity that does it
 */
export async function untilDone<T>(
  activity: ActivityOptions,
  call: (tasks: ProjectionTasks) => Promise<T>,
): Promise<T> {
  try {
    return await askAround({ end: Date.now() + firstSearch, isEager: true, activity }, call);
  } catch (error) {
    if (!(error instanceof UnknownToAllError)) throw error;
    return call(proxyActivities<ProjectionActivities>({ ...activity, retry }));
  }
}

export interface SearchOptions {
  /** Milliseconds. */
  readonly heartbeatTimeout: number;
  /** Whether to refuse after 10 seconds in which no worker knew the projection. If not, it waits for one that does. */
  readonly refuses: boolean;
  /** Called with the reason why it isn't done yet. */
  readonly onWait: (why: string) => void;
}

/**
 * Does a task that needs a worker that knows the projection, and a store that can be reached.
 *
 * @throws ProjectionUnknownError when it is refused · the final failure of an attempt
 */
export async function search<T>(
  { heartbeatTimeout, refuses, onWait }: SearchOptions,
  call: (tasks: ProjectionTasks, tries: number) => Promise<T>,
): Promise<T> {
  for (let limit = firstSearch; ; limit = Math.min(limit * 2, longestSearch)) {
    try {
      // There is no hurry in later rounds, or once the projection is known.
      return limit === firstSearch || refuses
        ? await askAround({ end: Date.now() + limit, isEager: true, activity: { heartbeatTimeout } }, call)
        : await call(
            proxyActivities<ProjectionActivities>({ ...longActivity(heartbeatTimeout, limit), retry }),
            Infinity,
          );
    } catch (error) {
      const isUnknown = error instanceof UnknownToAllError;
      if (isUnknown && refuses && error.heldUpBy === undefined) {
        throw error;
      }
      if (!isUnknown && !isExpired(error)) throw findEventStoreError(error) ?? error;
      onWait(reasonOf(error));
    }
  }
}

/** What the attempts at an activity have found out: in the details of a failure, or the last heartbeat of a time-out. */
function traceOf(error: unknown): SearchTrace {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof TimeoutFailure) return current.lastHeartbeatDetails ?? {};
    if (!(current instanceof ApplicationFailure)) continue;
    // The worker has no activities for projections.
    if (current.type === notRegistered) return { unknown: withoutActivities };
    if (current.type === unknownHereType) return current.details?.[0] ?? {};
  }
  return {};
}

/** Whether the activity's time was up, so that another attempt may go through. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause, retryState } = error;
  return cause instanceof TimeoutFailure || (retryState === 'TIMEOUT' && isRetryable(cause));
}

/** Why an activity wasn't done, in words for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof UnknownToAllError) return error.heldUpBy ?? error.message;
  const ours = findEventStoreError(error);
  if (ours !== undefined) return ours.message;
  const { unknown, heldUpBy, known = [] } = traceOf(error);
  if (heldUpBy !== undefined) return heldUpBy;
  if (unknown !== undefined) return describeUnknown(unknown, known);
  const causes: Error[] = [];
  for (let current = error; current instanceof Error; current = current.cause) causes.push(current);
  const failed = causes.find((cause) => cause instanceof ApplicationFailure);
  if (failed !== undefined) return failed.message;
  const late = causes.find((cause) => cause instanceof TimeoutFailure);
  if (late !== undefined) return 'No answer of its store, or of a worker that knows it, in time.';
  return causes.at(-1)?.message ?? String(error);
}

/** The message to keep from an error that needs an operator. */
export function messageOf(error: unknown): string {
  return (findEventStoreError(error) ?? (error as Error)).message;
}
