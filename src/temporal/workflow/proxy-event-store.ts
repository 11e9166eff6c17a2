import { CancellationScope, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { EventStore } from '../../core/store/event-store.js';
import { paced } from '../../core/store/pacing.js';
import type { EventStoreActivities } from '../shared/activity-types.js';
import { RemoteEventStore } from '../shared/remote-store.js';
import { nextCommitId } from './commit-id.js';

/** Long enough for a page or an append; a call that a dead worker took is tried again after it. */
const defaultActivityOptions: ActivityOptions = { startToCloseTimeout: '10 seconds' };

/**
 * The worker's event store in a workflow: each call is an activity. Make it at the top of the workflow's module.
 *
 * An append gets a commit id of its own from the workflow, so that neither a retry nor a reset stores it twice. Errors
 * are the store's own, typed; one that the workflow doesn't catch fails it. A call that is under way when the workflow
 * is cancelled is waited for, so that a cancelled append stored nothing.
 *
 * @param options of the activities; default: `startToCloseTimeout` of 10 seconds, retried until the store answers
 * @example
 * const store = proxyEventStore();
 * export async function rename(id: string, name: string): Promise<number> {
 *   const { version } = await store.appendToStream(`Account-${id}`, [{ type: 'Renamed', data: { name } }]);
 *   return version;
 * }
 */
export function proxyEventStore(options: ActivityOptions = {}): EventStore {
  return storeOver(proxyActivities<EventStoreActivities>({ ...defaultActivityOptions, ...options }));
}

/** A store whose calls are these activities, regular or local. */
export function storeOver(activities: EventStoreActivities): EventStore {
  const store = new RemoteEventStore({
    newCommitId: nextCommitId,
    append: (request, signal) =>
      cancellable(signal, async () => (await activities.eventStoreAppend(request)).result),
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
