import type { MultiStreamAppends, StreamAppend } from '../../core/store/append/multi-stream-appends.js';
import { event, having, type StoreUnderTest } from './suite.js';

/** The streams of most cases; the first is the home stream, and none comes first in each order. */
export const streamsOf = (category: string): readonly [string, string, string] => [
  `${category}-2`,
  `${category}-3`,
  `${category}x-1`,
];

export function append(
  store: StoreUnderTest,
  ...args: Parameters<MultiStreamAppends['appendToStreams']>
): ReturnType<MultiStreamAppends['appendToStreams']> {
  return having(store, 'appendToStreams')(...args);
}

/** One event for each stream, with the id of the stream in its data. */
export function oneEach(streamIds: readonly string[]): StreamAppend[] {
  return streamIds.map((streamId) => ({ streamId, events: [event('Happened', { streamId })] }));
}
