import type { DomainEvent, RecordedEvent } from '../../events/event.js';
import type { ReaderHints } from '../capabilities.js';
import type { AllSlice, EventStore, ReadAllOptions, ReadStreamOptions, StreamSlice } from '../event-store.js';
import { PagedEvents, type PageSource } from './paged-events.js';

/**
 * Iterates the events of a stream, page by page (`limit` and `maxBytes` are the size of a page), up to the end that the
 * stream has when the last page is read. A stream that does not exist has no events.
 *
 * @example
 * for await (const event of iterateStream<PaymentEvent>(store, 'Payment-123')) console.log(event.type);
 */
export function iterateStream<E extends DomainEvent = DomainEvent>(
  store: EventStore<E>,
  streamId: string,
  options: ReadStreamOptions = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const step = options.direction === 'backward' ? -1 : 1;
  return new PagedEvents<E, StreamSlice<E>>({
    ...sourceOf(store, options),
    read: (signal, last) => {
      const version = last?.events.at(-1)?.version;
      return store.readStream<E>(streamId, {
        ...options,
        ...(version !== undefined && { fromVersion: version + step }),
        signal,
      });
    },
    isLast: (slice) => slice.isEnd || slice.events.length === 0,
  });
}

/**
 * Iterates the events of all streams in the order of positions, page by page (`limit` and `maxBytes` are the size of a
 * page), up to the end that the store has when the last page is read.
 */
export function iterateAll<E extends DomainEvent = DomainEvent>(
  store: EventStore<E>,
  options: ReadAllOptions<E['type']> = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  return new PagedEvents<E, AllSlice<E>>({
    ...sourceOf(store, options),
    read: (signal, last) => store.readAll<E>({ ...options, ...(last && { after: last.position }), signal }),
    isLast: (slice) => slice.isEnd,
  });
}

function sourceOf(
  store: EventStore,
  options: { readonly signal?: AbortSignal },
): Pick<PageSource<unknown>, 'readsAhead' | 'signal' | 'endsQuietly'> {
  const { readsAhead = false } = store as ReaderHints;
  return { readsAhead, signal: options.signal, endsQuietly: false };
}
