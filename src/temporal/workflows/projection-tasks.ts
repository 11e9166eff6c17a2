import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
  type ActivityInterfaceFor,
} from '@temporalio/workflow';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import { InvalidArgumentError } from '../../core/errors/errors.js';
import type { ProjectionActivities } from '../shared/activity-types.js';
import { unknownHereType } from '../shared/command-lane.js';
import type { SearchTrace } from '../shared/projection.js';
import { typed } from '../shared/remote-store.js';

export type ProjectionTasks = ActivityInterfaceFor<ProjectionActivities>;

/**
 * Milliseconds of a search for a worker that knows the projection, which grow from the first to the second while none does or its store
 * can't be reached. Who asks is answered within 10 seconds of the first.
 */
const firstSearch = 9_000;
const longestSearch = 10 * 60_000;
/** Milliseconds that another worker gets at least to answer what this one can't. */
const leastOther = 1_000;

/** Activities that any worker may take that knows the projection; they are tried again for as long as it takes. */
export function tasksOf(heartbeatTimeout: number, limit?: number): ProjectionTasks {
  return proxyActivities<ProjectionActivities>({
    startToCloseTimeout: '30 minutes',
    // Or a worker that dies in one would hold up the projection that long.
    heartbeatTimeout,
    ...(limit !== undefined && { scheduleToCloseTimeout: limit }),
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  });
}

/**
 * Does something for somebody who waits: by a local activity, and where this worker doesn't know the projection, by one that another
 * may take.
 *
 * @param limit milliseconds
 * @throws the typed error, or the failure, of the last attempt
 */
export async function quickly<T>(limit: number, call: (tasks: ProjectionTasks) => Promise<T>): Promise<T> {
  const began = Date.now();
  try {
    return await typed(
      call(
        proxyLocalActivities<ProjectionActivities>({
          startToCloseTimeout: limit,
          scheduleToCloseTimeout: limit,
          // A blip may be over by then. Who waits is told of more.
          retry: { initialInterval: '100 milliseconds', maximumAttempts: 2 },
        }),
      ),
    );
  } catch (error) {
    // A worker that shuts down cancels it.
    const isCutShort = isCancellation(error) && !CancellationScope.current().consideredCancelled;
    if (!isCutShort && traceOf(error).unknown === undefined) throw error;
  }
  const rest = Math.max(limit - (Date.now() - began), leastOther);
  return typed(
    call(
      proxyActivities<ProjectionActivities>({
        startToCloseTimeout: rest,
        scheduleToCloseTimeout: rest,
        retry: { initialInterval: '100 milliseconds', maximumInterval: '1 second' },
        // Eagerly, it would come to the same worker again.
        allowEagerDispatch: false,
      }),
    ),
  );
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
 * @throws InvalidArgumentError that says what is known, when it is refused · what an attempt failed of for good
 */
export async function search<T>(
  { heartbeatTimeout, refuses, onWait }: SearchOptions,
  call: (tasks: ProjectionTasks) => Promise<T>,
): Promise<T> {
  for (let limit = firstSearch; ; limit = Math.min(limit * 2, longestSearch)) {
    try {
      return await call(tasksOf(heartbeatTimeout, limit));
    } catch (error) {
      const { unknown, heldUpBy } = traceOf(error);
      if (unknown !== undefined && heldUpBy === undefined && refuses) {
        throw new InvalidArgumentError(unknown, { cause: error });
      }
      if (!isExpired(error)) throw findEventStoreError(error) ?? error;
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
    if (current.type === 'NotFoundError') return { unknown: current.message };
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
  const ours = findEventStoreError(error);
  if (ours !== undefined) return ours.message;
  const { unknown, heldUpBy } = traceOf(error);
  if (heldUpBy !== undefined || unknown !== undefined) return (heldUpBy ?? unknown) as string;
  const causes: Error[] = [];
  for (let current = error; current instanceof Error; current = current.cause) causes.push(current);
  const failed = causes.find((cause) => cause instanceof ApplicationFailure);
  if (failed !== undefined) return failed.message;
  const late = causes.find((cause) => cause instanceof TimeoutFailure);
  if (late !== undefined) return 'No answer of its store, or of a worker that knows it, in time.';
  return causes.at(-1)?.message ?? String(error);
}
