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

/** Milliseconds that an operator waits who doesn't say. */
export const patience = 20_000;

export type ProjectionTasks = ActivityInterfaceFor<ProjectionActivities>;

/**
 * Milliseconds of a search for a worker that knows the projection, which grow from the first to the second while none does or its store
 * can't be reached. The caller is answered within 10 seconds of the first.
 */
const firstSearch = 9_000;
const longestSearch = 10 * 60_000;
/** Milliseconds that another worker gets at least to answer what this one can't. */
const leastOther = 1_000;

/**
 * How many are asked one after the other, and the milliseconds until the next ones are. At once, since the server gives what comes after a
 * pause to the worker that asked for work last, which is the same as before.
 */
const triesAtOnce = 12;
const pauseBetween = 1_000;
/** Type of the failure of a worker that lacks an activity: of a release that had no projections. */
const notRegistered = 'NotFoundError';
const withoutActivities = {
  what: 'projections',
  advice: 'Register EventStorePlugin, or createProjectionActivities.',
};

const retry = { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' } as const;

/** How long an activity may take, with the signs of life without which a worker that dies in it would hold up the projection that long. */
export function longActivity(heartbeatTimeout: number, limit?: number): ActivityOptions {
  return {
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout,
    ...(limit !== undefined && { scheduleToCloseTimeout: limit }),
  };
}

/**
 * Does something for a caller that waits: by a local activity, and where this worker doesn't know the projection, by one that another
 * may take.
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
    // A worker that shuts down cancels it.
    const isCutShort = isCancellation(error) && !CancellationScope.current().consideredCancelled;
    if (!isCutShort && traceOf(error).unknown === undefined) throw error;
  }
  const end = Math.max(began + limit, Date.now() + leastOther);
  return rethrowTyped(askAround({ end, isEager: false }, call));
}

interface AskOptions {
  /** By the workflow's clock. */
  readonly end: number;
  /** Whether the worker of the workflow is asked first. */
  readonly isEager: boolean;
  /** Options of each activity. Default: it has what is left of the time. */
  readonly activity?: ActivityOptions;
}

/** Nobody knew enough. */
class UnknownToAllError extends ProjectionUnknownError {
  readonly heldUpBy: string | undefined;

  constructor(message: string, known: readonly string[], heldUpBy: string | undefined) {
    super(message, { known });
    this.heldUpBy = heldUpBy;
  }
}

/**
 * Asks one worker after the other until one knows enough. By an activity each: the server hands one that failed out again after a second
 * at the earliest, and then to the same worker more often than not.
 *
 * @throws UnknownToAllError when the time is up · what an activity failed of otherwise
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
 * Has something done for as long as it takes: by a worker that is found soon, or by one that comes.
 *
 * @param activity how it is done
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
  /** Whether it is refused when nobody knows the projection, after 10 seconds. Else it waits for a worker that does. */
  readonly refuses: boolean;
  /** Called with why it isn't done yet. */
  readonly onWait: (why: string) => void;
}

/**
 * Does something that takes a worker that knows the projection, and a store that can be reached.
 *
 * @throws ProjectionUnknownError when it is refused · what an attempt failed of for good
 */
export async function search<T>(
  { heartbeatTimeout, refuses, onWait }: SearchOptions,
  call: (tasks: ProjectionTasks, tries: number) => Promise<T>,
): Promise<T> {
  for (let limit = firstSearch; ; limit = Math.min(limit * 2, longestSearch)) {
    try {
      // Later, or where it is known, there is no hurry.
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

/** What those have found out who tried an activity. A failure has it in its details, a time-out in its last heartbeat. */
function traceOf(error: unknown): SearchTrace {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof TimeoutFailure) return current.lastHeartbeatDetails ?? {};
    if (!(current instanceof ApplicationFailure)) continue;
    // A worker without the activities of projections.
    if (current.type === notRegistered) return { unknown: withoutActivities };
    if (current.type === unknownHereType) return current.details?.[0] ?? {};
  }
  return {};
}

/** Whether its time was up, and another attempt may go through. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause, retryState } = error;
  return cause instanceof TimeoutFailure || (retryState === 'TIMEOUT' && isRetryable(cause));
}

/** What kept an activity from being done, for people. */
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

/** What is kept of an error that an operator has to see to. */
export function messageOf(error: unknown): string {
  return (findEventStoreError(error) ?? (error as Error)).message;
}
