import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { frozenEvent } from '../events/copy-event.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import { assertStreamId } from '../store/stream-id.js';
import { assertHasEvents } from './decided-appends.js';

/**
 * Adds to what goes to other streams: a commit has one part for each.
 *
 * @returns another list
 * @throws InvalidArgumentError
 */
export function withAppend(appends: readonly StreamAppend[], append: StreamAppend): readonly StreamAppend[] {
  assertStreamId(append.streamId);
  // A copy: later changes to the given events have no effect. From: map would step over a hole.
  const events = Array.from(assertHasEvents(append).events, (event) => frozenEvent(event));
  const earlier = appends.find(({ streamId }) => streamId === append.streamId);
  if (earlier === undefined) return [...appends, { ...append, events }];
  const expected = append.expectedVersion ?? earlier.expectedVersion;
  if (earlier.expectedVersion !== undefined && earlier.expectedVersion !== expected) {
    throw new InvalidArgumentError(
      `The command expects '${append.streamId}' at '${earlier.expectedVersion}' and at '${expected}'. Both are parts of one commit.`,
    );
  }
  const merged = {
    ...earlier,
    ...(expected !== undefined && { expectedVersion: expected }),
    events: [...earlier.events, ...events],
  };
  return appends.map((each) => (each === earlier ? merged : each));
}
