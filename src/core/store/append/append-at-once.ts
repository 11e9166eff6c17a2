import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import type { AppendResult, EventStore } from '../event-store.js';
import type { MultiAppendOptions, MultiStreamAppends, StreamAppend } from './multi-stream-appends.js';

/**
 * Appends to one stream or several, as one commit. To one, any store can.
 *
 * @param appends one or more
 * @returns the result of each, in their order
 * @throws InvalidArgumentError for several streams, when the store can't append to them at once
 */
export async function appendAtOnce(
  store: EventStore & Partial<MultiStreamAppends>,
  appends: readonly StreamAppend[],
  options: MultiAppendOptions,
): Promise<readonly AppendResult[]> {
  const [{ streamId, expectedVersion, events }, ...others] = appends as readonly [StreamAppend];
  if (others.length === 0) {
    const expected = expectedVersion !== undefined && { expectedVersion };
    return [await store.appendToStream(streamId, events, { ...options, ...expected })];
  }
  if (store.appendToStreams === undefined) {
    const streams = appends.map((each) => `'${each.streamId}'`).join(', ');
    throw new InvalidArgumentError(
      `The store can't append to several streams at once, here ${streams}: it has no 'appendToStreams'. Nothing was stored. ` +
        `Use a store that has it, as those of the library, and let decorators pass it on; or append to one stream.`,
    );
  }
  return (await store.appendToStreams(appends, options)).parts;
}
