import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import type { MultiAppendResult } from '../../core/store/append/multi-stream-appends.js';
import type {
  AppendReply,
  AppendRequest,
  AppendRequestPart,
  AppendStreamsRequest,
  EventStoreActivities,
} from '../shared/activity-types.js';
import { rethrowTyped } from '../shared/remote-store.js';

/** The activities that carry out an append. */
export interface AppendActivities {
  readonly activities: EventStoreActivities;
  /** The same, with a time limit. */
  readonly asking: EventStoreActivities;
}

/** An append, and where the store is asked what became of it. */
interface SentAppend<Reply> {
  readonly streamId: string;
  readonly commitId: string;
  readonly send: (activities: EventStoreActivities) => Promise<Reply>;
}

/**
 * Appends. An earlier attempt may have stored the events when the append is cancelled before its next attempt. The
 * store is then asked, and an append that it has counts as done.
 *
 * @throws CancelledFailure when the store doesn't have the commit · StoreUnavailableError when that can't be found out
 */
export function appendOutcome(by: AppendActivities, request: AppendRequest): Promise<AppendReply> {
  const { streamId, commitId } = request;
  return outcomeOf(by, { streamId, commitId, send: (activities) => activities.eventStoreAppend(request) });
}

/** As {@link appendOutcome}. The home stream is asked: a commit is in all of its streams, or in none. */
export function appendStreamsOutcome(
  by: AppendActivities,
  request: AppendStreamsRequest,
): Promise<AppendReply<MultiAppendResult>> {
  const { appends, commitId } = request;
  const [{ streamId }] = appends as readonly [AppendRequestPart];
  return outcomeOf(by, {
    streamId,
    commitId,
    send: (activities) => activities.eventStoreAppendStreams(request),
  });
}

async function outcomeOf<Reply>(
  { activities, asking }: AppendActivities,
  append: SentAppend<Reply>,
): Promise<Reply> {
  try {
    return await rethrowTyped(append.send(activities));
  } catch (error) {
    // Cancelled before the activity was scheduled: nothing was sent.
    if (!isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return CancellationScope.nonCancellable(() => findOutcome(asking, append, error));
  }
}

async function findOutcome<Reply>(
  asking: EventStoreActivities,
  append: SentAppend<Reply>,
  cancellation: ActivityFailure,
): Promise<Reply> {
  const { streamId, commitId } = append;
  try {
    // A payload converter may make null of undefined.
    const found = (await asking.eventStoreFindCommit({ streamId, commitId })) ?? undefined;
    if (found === undefined) throw cancellation;
  } catch (error) {
    if (error === cancellation) throw error;
    throw unknownOutcome(append, error);
  }
  // Stores nothing more; checks that the stored events are these, in each stream.
  return rethrowTyped(append.send(asking));
}

function unknownOutcome<Reply>(
  { streamId, commitId }: SentAppend<Reply>,
  cause: unknown,
): StoreUnavailableError {
  return new StoreUnavailableError(
    `The append to '${streamId}' was cancelled, and the store gives no answer: it may be stored. ` +
      `Ask findCommit for the commit id '${commitId}', or append again with it.`,
    { commitId, cause },
  );
}
