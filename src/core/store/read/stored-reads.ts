import type { RecordedEvent } from '../../events/event.js';
import type { EventStore } from '../event-store.js';

/**
 * The reads of a store in two steps: events as they are stored, and each of them as the store's `readAll` would return
 * it.
 */
export interface StoredReads {
  readonly readAll: EventStore['readAll'];
  /** @throws what `readAll` of the store would throw of this event */
  readonly decode: (event: RecordedEvent) => RecordedEvent;
}

/**
 * The member of a store that changes events when they are read, as `withEvents` does. A symbol, so that decorators that
 * spread a store pass it on.
 */
export const storedReads = Symbol.for('temporal-event-store/stored-reads');

/** A store may have it. */
export interface HasStoredReads {
  readonly [storedReads]?: StoredReads & {
    /** The `readAll` that it stands for: a decorator with one of its own may have spread the store. */
    readonly of: unknown;
  };
}

/**
 * How to read a store so that an event that can't be decoded doesn't keep its neighbours from being read. A store that
 * decodes in a `readAll` of its own returns what that returns.
 */
export function storedReadsOf(store: EventStore): StoredReads {
  const { [storedReads]: own = { of: undefined } } = store as EventStore & HasStoredReads;
  if ('decode' in own && own.of === Reflect.get(store, 'readAll')) return own;
  return { readAll: (options) => store.readAll(options), decode: (event) => event };
}
