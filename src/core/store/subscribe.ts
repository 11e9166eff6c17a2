import { PositionAheadOfStoreError } from '../errors/errors.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import type { ReaderHints } from './capabilities.js';
import type { EventStore, ReadAllOptions } from './event-store.js';
import { anything, assertOptions, integerFrom, isSignal } from './options.js';
import { WakeUp } from './wake-up.js';

export interface SubscribeOptions<Type extends string = string> extends Omit<
  ReadAllOptions<Type>,
  'direction'
> {
  /**
   * Milliseconds between two looks for new events once all are read. Default 250, or 1,000 where the store calls when
   * something is appended (`onAppend`).
   */
  readonly pollInterval?: number;
}

/**
 * All events after a position, and then those to come: an iterator that never ends by itself. When the signal aborts,
 * it ends quietly. An error of the store is thrown; go on after the last event that you handled.
 *
 * @throws PositionAheadOfStoreError also when another store has taken the place of the one that the subscription began
 *   with, so that its position means nothing any more
 */
export async function* subscribe<E extends DomainEvent = DomainEvent>(
  store: EventStore<E>,
  options: SubscribeOptions<E['type']> = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  assertOptions('subscribe', options, {
    after: integerFrom(0),
    limit: integerFrom(1),
    filter: anything,
    signal: isSignal,
    pollInterval: integerFrom(1),
  });
  const { onAppend } = store as ReaderHints;
  const { pollInterval = onAppend === undefined ? 250 : 1_000, after = 0, ...read } = options;
  const { signal } = options;
  const wakeUp = new WakeUp();
  const stopWatching = onAppend?.call(store, wakeUp.wake);
  signal?.addEventListener('abort', wakeUp.wake);
  try {
    yield* follow(store, { ...read, after }, pollInterval, wakeUp);
  } finally {
    stopWatching?.();
    signal?.removeEventListener('abort', wakeUp.wake);
  }
}

async function* follow<E extends DomainEvent>(
  store: EventStore,
  read: ReadAllOptions & { readonly after: number },
  pollInterval: number,
  wakeUp: WakeUp,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const { signal } = read;
  let position = read.after;
  let storeId: string | undefined;
  while (!isAborted(signal)) {
    // What comes after this wakes: this look may miss it.
    wakeUp.reset();
    const slice = await readUnlessAborted<E>(store, { ...read, after: position }, signal);
    if (slice === undefined) return;
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
