import { isEventStoreError } from '../errors/error-recognition.js';
import { PositionAheadOfStoreError } from '../errors/errors.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import type { ReaderHints } from './capabilities.js';
import type { EventStore, ReadAllOptions } from './event-store.js';
import { anything, assertOptions, integerFrom, isSignal } from './options.js';
import { WakeUp } from './wake-up.js';

export interface SubscribeOptions extends Omit<ReadAllOptions, 'direction'> {
  /**
   * Milliseconds between two looks for new events once all are read. Default 250, or 1,000 where the store calls when
   * something is appended (`onAppend`).
   */
  readonly pollInterval?: number;
  /**
   * Milliseconds of pauses between attempts when the store is away (STORE_UNAVAILABLE), or no primary just now
   * (READ_NOT_SAFE), after it could be read; then the error is thrown. Default 300,000.
   */
  readonly retryTimeout?: number;
}

/** Most milliseconds between two attempts at a store that is away. */
const longestPause = 5_000;

/**
 * All events after a position, and then those to come: an iterator that never ends by itself. When the signal aborts,
 * it ends quietly. A store that is away for a while, as in a failover, is waited for. Any other error of the store is thrown, and so
 * is one of its first look; go on after the last event that you handled.
 *
 * @throws PositionAheadOfStoreError also when another store has taken the place of the one that the subscription began
 *   with, so that its position means nothing any more
 */
export async function* subscribe<E extends DomainEvent = DomainEvent>(
  store: EventStore,
  options: SubscribeOptions = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  assertOptions('subscribe', options, {
    after: integerFrom(0),
    limit: integerFrom(1),
    filter: anything,
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
  const { signal } = options;
  const wakeUp = new WakeUp();
  const stopWatching = onAppend?.call(store, wakeUp.wake);
  signal?.addEventListener('abort', wakeUp.wake);
  try {
    yield* follow(store, { ...read, after }, { pollInterval, retryTimeout }, wakeUp);
  } finally {
    stopWatching?.();
    signal?.removeEventListener('abort', wakeUp.wake);
  }
}

async function* follow<E extends DomainEvent>(
  store: EventStore,
  read: ReadAllOptions & { readonly after: number },
  { pollInterval, retryTimeout }: { readonly pollInterval: number; readonly retryTimeout: number },
  wakeUp: WakeUp,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const { signal } = read;
  let position = read.after;
  let storeId: string | undefined;
  // By the pauses: in a workflow there is no clock.
  let [pause, left] = [pollInterval, 0];
  while (!isAborted(signal)) {
    // What comes after this wakes: this look may miss it.
    wakeUp.reset();
    let slice;
    try {
      slice = await readUnlessAborted<E>(store, { ...read, after: position }, signal);
    } catch (error) {
      if (!isAway(error) || left <= 0) throw error;
      await wakeUp.wait(pause);
      left -= pause;
      pause = Math.min(pause * 2, longestPause);
      continue;
    }
    if (slice === undefined) return;
    [pause, left] = [pollInterval, retryTimeout];
    storeId ??= slice.storeId;
    if (slice.storeId !== storeId) {
      throw new PositionAheadOfStoreError(
        `The store ${storeId} was replaced by ${slice.storeId}; position ${position} means nothing there.`,
        { position, storeId: slice.storeId, lastPosition: slice.position },
      );
    }
    for (const event of slice.events) {
      if (isAborted(signal)) return;
      yield event;
    }
    position = slice.position;
    if (slice.isEnd && !isAborted(signal)) await wakeUp.wait(pollInterval);
  }
}

/** Whether the store may come back by itself. */
function isAway(error: unknown): boolean {
  return isEventStoreError(error, 'STORE_UNAVAILABLE') || isEventStoreError(error, 'READ_NOT_SAFE');
}

async function readUnlessAborted<E extends DomainEvent>(
  store: EventStore,
  options: ReadAllOptions,
  signal: AbortSignal | undefined,
): Promise<Awaited<ReturnType<typeof store.readAll<E>>> | undefined> {
  try {
    return await store.readAll<E>(options);
  } catch (error) {
    if (isAborted(signal)) return undefined;
    throw error;
  }
}

/** A function, because the signal changes between two looks. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
