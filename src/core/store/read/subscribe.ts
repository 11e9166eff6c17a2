import { isEventStoreError } from '../../errors/error-recognition.js';
import { PositionAheadOfStoreError } from '../../errors/store-errors.js';
import type { DomainEvent, RecordedEvent } from '../../events/event.js';
import { validatedElsewhere, assertOptions, integerFrom, isSignal } from '../../options/options.js';
import { pauseAfter } from '../../values/backoff.js';
import type { ReaderHints } from '../capabilities.js';
import type { AllSlice, EventStore, ReadAllOptions } from '../event-store.js';
import { PagedEvents } from './paged-events.js';
import { assertStillThere, seen, type SeenEvent, type Witness } from './seen-event.js';
import { storedReadsOf } from './stored-reads.js';
import { WakeUp } from './wake-up.js';

export interface SubscribeOptions<Type extends string = string> extends Omit<
  ReadAllOptions<Type>,
  'direction'
> {
  /**
   * Milliseconds between two looks for new events once all are read. Default: 1,000 if the store announces appends
   * (`onAppend`), else 250.
   */
  readonly pollInterval?: number;
  /**
   * Milliseconds of pauses between attempts, after a first successful read, while the store (`STORE_UNAVAILABLE`) or
   * its primary (`UNSAFE_READ`) can't be reached; then the error is thrown. Default 300,000.
   */
  readonly retryTimeout?: number;
}

/** Most milliseconds between two attempts at a store that can't be reached. */
const longestPause = 5_000;

/**
 * Iterates all events after a position, and then the events to come; it never ends by itself. It ends without an error
 * when the signal aborts, and at once on `return()`, even while it waits. It waits for a store that can't be reached
 * for a while, as in a failover. It throws any other error of the store, and any error of its first look; subscribe
 * again after the last event that you handled.
 *
 * @throws {@link PositionAheadOfStoreError} when the position is beyond the end; when another store has taken the place
 *   of the first, so that the position means nothing any more; or when the store has come back without the last event
 *   that it gave
 */
export function subscribe<E extends DomainEvent = DomainEvent>(
  store: EventStore<E>,
  options: SubscribeOptions<E['type']> = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const wakeUp = new WakeUp();
  let watch: Watch | undefined;
  return new PagedEvents<E, AllSlice<E>>({
    readsAhead: false,
    signal: (options as SubscribeOptions | null)?.signal,
    endsQuietly: true,
    async read(signal, last) {
      watch ??= beginWatch(store, options, wakeUp);
      signal.addEventListener('abort', wakeUp.wake);
      try {
        return await readNext<E>(store, watch, wakeUp, signal, last);
      } finally {
        signal.removeEventListener('abort', wakeUp.wake);
      }
    },
    isLast: () => false,
    close: () => watch?.stop?.(),
  });
}

const subscription: Witness = { which: 'the subscription has given', advice: 'and read again' };

interface Watch {
  readonly read: ReadAllOptions & { readonly after: number };
  readonly pollInterval: number;
  readonly retryTimeout: number;
  /** Milliseconds of pauses until an error is thrown; by the pauses, as there is no clock in a workflow. */
  retriesLeft: number;
  /** The last event that it gave: after a failover it must still be there. */
  lastSeen: SeenEvent | undefined;
  readonly stop: (() => void) | undefined;
}

function beginWatch(store: EventStore, options: SubscribeOptions, wakeUp: WakeUp): Watch {
  assertOptions('subscribe', options, {
    after: integerFrom(0),
    limit: integerFrom(1),
    maxBytes: integerFrom(1),
    filter: validatedElsewhere,
    signal: isSignal,
    pollInterval: integerFrom(1),
    retryTimeout: integerFrom(0),
  });
  const { onAppend } = store as ReaderHints;
  const {
    pollInterval = onAppend === undefined ? 250 : 1_000,
    after = 0,
    retryTimeout = 300_000,
    ...read
  } = options;
  return {
    read: { ...read, after },
    pollInterval,
    retryTimeout,
    retriesLeft: 0,
    lastSeen: undefined,
    stop: onAppend?.call(store, wakeUp.wake),
  };
}

/** The next page that has events, however long it takes to come; undefined when nobody wants it any more. */
async function readNext<E extends DomainEvent>(
  store: EventStore,
  watch: Watch,
  wakeUp: WakeUp,
  signal: AbortSignal,
  last: AllSlice<E> | undefined,
): Promise<AllSlice<E> | undefined> {
  const { read, pollInterval } = watch;
  let { position, isEnd, storeId } = last ?? { position: read.after, isEnd: false, storeId: undefined };
  let isBack = false;
  for (let failures = 0; ;) {
    if (isEnd && !signal.aborted) await wakeUp.wait(pollInterval);
    if (signal.aborted) return undefined;
    // What comes after this wakes: this look may miss it.
    wakeUp.reset();
    let slice: AllSlice<E>;
    try {
      // A standby that lagged behind may have come back for it.
      if (isBack) await assertStillThere(storedReadsOf(store), watch.lastSeen, storeId, subscription);
      isBack = false;
      slice = await store.readAll<E>({ ...read, after: position, signal });
    } catch (error) {
      if (!isAway(error) || watch.retriesLeft <= 0) throw error;
      isBack = true;
      const pause = pauseAfter(++failures, { first: pollInterval, longest: longestPause });
      await wakeUp.wait(pause);
      watch.retriesLeft -= pause;
      continue;
    }
    failures = 0;
    watch.retriesLeft = watch.retryTimeout;
    storeId ??= slice.storeId;
    if (slice.storeId !== storeId) {
      throw new PositionAheadOfStoreError(
        `The store ${storeId} was replaced by ${slice.storeId}; position ${position} means nothing there.`,
        { position, storeId: slice.storeId, lastPosition: slice.position },
      );
    }
    const event = slice.events.at(-1);
    if (event !== undefined) {
      watch.lastSeen = seen(event);
      return slice;
    }
    ({ position, isEnd } = slice);
  }
}

/** Whether the store may come back by itself. */
function isAway(error: unknown): boolean {
  return isEventStoreError(error, 'STORE_UNAVAILABLE') || isEventStoreError(error, 'UNSAFE_READ');
}
