import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { AppendReply, AppendRequest, EventStoreActivities } from '../shared/activity-types.js';
import { rethrowTyped } from '../shared/remote-store.js';

/**
 * Appends. An earlier attempt may have stored the events when the append is cancelled before its next attempt. The
 * store is then asked, and an append that it has counts as done.
 *
 * @param asking the same activities, with a time limit
 * @throws CancelledFailure when the store doesn't have the commit · StoreUnavailableError when that can't be found out
 */
export async function appendOutcome(
  activities: EventStoreActivities,
  asking: EventStoreActivities,
  request: AppendRequest,
): Promise<AppendReply> {
  try {
    return await rethrowTyped(activities.eventStoreAppend(request));
  } catch (error) {
    // Cancelled before the activity was scheduled: nothing was sent.
    if (!isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return CancellationScope.nonCancellable(() => findOutcome(asking, request, error));
  }
}

async function findOutcome(
  asking: EventStoreActivities,
  request: AppendRequest,
  cancellation: ActivityFailure,
): Promise<AppendReply> {
  const { streamId, commitId } = request;
  try {
    // A payload converter may make null of undefined.
    const found = (await asking.eventStoreFindCommit({ streamId, commitId })) ?? undefined;
    if (found === undefined) throw cancellation;
  } catch (error) {
    if (error === cancellation) throw error;
    throw unknownOutcome(request, error);
  }
  // Stores nothing more; checks that the stored events are these.
  return rethrowTyped(asking.eventStoreAppend(request));
}

function unknownOutcome({ streamId, commitId }: AppendRequest, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `The append to '${streamId}' was cancelled, and the store gives no answer: it may be stored. ` +
      `Ask findCommit for the commit id '${commitId}', or append again with it.`,
    { commitId, cause },
  );
}
