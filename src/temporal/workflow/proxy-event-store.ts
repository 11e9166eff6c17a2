import { CancellationScope, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { MultiStreamAppends } from '../../core/store/append/multi-stream-appends.js';
import type { EventStore } from '../../core/store/event-store.js';
import { paced } from '../../core/store/pacing.js';
import type { EventStoreActivities } from '../shared/activity-types.js';
import { RemoteEventStore } from '../shared/remote-store.js';
import { appendOutcome, appendStreamsOutcome, type AppendActivities } from './append-outcome.js';
import { nextCommitId } from './commit-id.js';

/** Long enough for a page or an append. A call lost with its worker is tried again after this time. */
const defaultActivityOptions: ActivityOptions = { startToCloseTimeout: '10 seconds' };

interface TimeLimits {
  readonly startToCloseTimeout?: string | number;
}

/**
 * The worker's event store in a workflow: each call is an activity. Make it at the top of the workflow's module.
 *
 * An append gets a commit id of its own from the workflow, so that neither a retry nor a reset stores it twice.
 * Errors are the store's own, typed; an error that the workflow doesn't catch fails it. When the workflow is
 * cancelled, an attempt under way is waited for. Between two attempts, the store is asked what an earlier one has
 * stored: an append that went through is not cancelled, and a cancelled append stored nothing, unless an attempt
 * whose time was up is still at work. If the store gives no answer either, the error is STORE_UNAVAILABLE with the
 * commit id.
 *
 * The store on the worker must have `appendToStreams`, as those of this library do, for appends to several streams or under a
 * condition.
 *
 * @param options of the activities; default: `startToCloseTimeout` of 10 seconds, retried until the store answers
 * @example
 * const store = proxyEventStore();
 * export async function rename(id: string, name: string): Promise<number> {
 *   const { version } = await store.appendToStream(`Account-${id}`, [{ type: 'Renamed', data: { name } }]);
 *   return version;
 * }
 */
export function proxyEventStore(options: ActivityOptions = {}): EventStore & MultiStreamAppends {
  const all = { ...defaultActivityOptions, ...options };
  // As long as one attempt may take.
  const { startToCloseTimeout: scheduleToCloseTimeout = '10 seconds' } = options as TimeLimits;
  const limited = { ...all, scheduleToCloseTimeout } as ActivityOptions;
  return storeOver({
    activities: proxyActivities<EventStoreActivities>(all),
    // So that a cancelled workflow doesn't wait for ever.
    asking: proxyActivities<EventStoreActivities>(limited),
  });
}

/** A store whose calls are these activities, regular or local. */
export function storeOver(by: AppendActivities): EventStore & MultiStreamAppends {
  const { activities } = by;
  const store = new RemoteEventStore({
    newCommitId: nextCommitId,
    append: (request, signal) => cancellable(signal, async () => (await appendOutcome(by, request)).result),
    appendToStreams: (request, signal) =>
      cancellable(signal, async () => (await appendStreamsOutcome(by, request)).result),
    readStream: (request, signal) => cancellable(signal, () => activities.eventStoreReadStream(request)),
    readAll: (request, signal) => cancellable(signal, () => activities.eventStoreReadAll(request)),
    findCommit: (request) => activities.eventStoreFindCommit(request),
  });
  return Object.assign(store, { [paced]: true });
}

/** Cancels the activity when the signal aborts, and then rejects with the signal's reason. */
async function cancellable<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  if (signal === undefined) return call();
  const scope = new CancellationScope();
  const cancel = (): void => {
    scope.cancel();
  };
  signal.addEventListener('abort', cancel);
  try {
    return await scope.run(call);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
