import { isEventStoreError } from '../../core/errors/error-recognition.js';
import type { EventToAppend, RecordedEvent } from '../../core/events/event.js';
import type {
  AllSlice,
  AppendCondition,
  AppendOptions,
  AppendResult,
  SettledPosition,
} from '../../core/store/event-store.js';
import { event, having, type StoreUnderTest } from './suite.js';

/** A call that takes a condition. */
interface Way {
  readonly call: string;
  /** @returns the result for the stream */
  readonly append: (
    store: StoreUnderTest,
    streamId: string,
    events: readonly EventToAppend[],
    options: AppendOptions,
  ) => Promise<AppendResult>;
  /** How many events it stores in the stream beside. */
  readonly eventsBeside: number;
}

const toStream: Way = {
  call: 'appendToStream',
  append: (store, streamId, given, options) => store.appendToStream(streamId, given, options),
  eventsBeside: 0,
};

/** To two streams. What the second gets is an event that no filter of a case takes. */
const toStreams: Way = {
  call: 'appendToStreams',
  append: async (store, streamId, given, { expectedVersion = 'any', ...options }) => {
    const { parts } = await having(store, 'appendToStreams')(
      [
        { streamId, events: given, expectedVersion },
        { streamId: besideOf(streamId), events: [event('Beside')] },
      ],
      options,
    );
    return parts[0] as AppendResult;
  },
  eventsBeside: 1,
};

export const ways = [toStream, toStreams] as const;

/** The other stream of an append to streams, in another category. */
export function besideOf(streamId: string): string {
  return `Beside${streamId}`;
}

export function tagged(...tags: readonly string[]): EventToAppend {
  return { ...event(), tags };
}

/** Reads on from a slice, or from the start, until the end. */
export async function readOn(
  store: StoreUnderTest,
  filter: AppendCondition['filter'],
  from?: AllSlice,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly last: AllSlice }> {
  const events: RecordedEvent[] = [];
  let last = from;
  do {
    last = await store.readAll({ filter, ...(last && { after: last.position }) });
    events.push(...last.events);
  } while (!last.isEnd);
  return { events, last };
}

/** A slice that a condition can build on. Other cases may append to the store at any time. */
export async function endOf(store: StoreUnderTest, category: string): Promise<AllSlice> {
  return (await readOn(store, { categories: [category] })).last;
}

export function settledOf({ settled }: AllSlice): SettledPosition {
  if (settled === undefined) {
    throw new Error('A forward read that has reached its end has no settled position.');
  }
  return settled;
}

/** Whether an append went through; false when its condition failed. */
export async function isThrough(append: Promise<unknown>): Promise<boolean> {
  try {
    await append;
    return true;
  } catch (error) {
    if (isEventStoreError(error, 'APPEND_CONDITION_FAILED')) return false;
    throw error;
  }
}
