import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { AppendReply, AppendRequest, EventStoreActivities } from '../shared/activity-types.js';
import { rethrowTyped } from '../shared/remote-store.js';

/**
 * Appends. When that is cancelled while it waits for its next attempt, an attempt before may have stored it: then the store is
 * asked, and an append that is stored has gone through.
 *
 * @param asking the same activities, with an end
 * @throws CancelledFailure when the store doesn't have it · StoreUnavailableError when that can't be found out
 */
export async function appendOutcome(
  activities: EventStoreActivities,
  asking: EventStoreActivities,
  request: AppendRequest,
): Promise<AppendReply> {
  try {
    return await rethrowTyped(activities.eventStoreAppend(request));
  } catch (error) {
    // Without an activity nothing was sent.
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
  // It stores nothing more, and says whether these are the events.
  return rethrowTyped(asking.eventStoreAppend(request));
}

function unknownOutcome({ streamId, commitId }: AppendRequest, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `The append to '${streamId}' was cancelled, and the store gives no answer: it may be stored. ` +
      `Ask findCommit for the commit id '${commitId}', or append again with it.`,
    { commitId, cause },
  );
}
