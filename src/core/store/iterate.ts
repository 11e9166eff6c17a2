import type { EventStore, ReadAllOptions, ReadStreamOptions } from './event-store.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';

/**
 * The events of a stream, read page by page (`limit` is the size of a page) until the end that the stream has when the
 * last page is read. A stream that does not exist has none.
 *
 * @example
 * for await (const event of iterateStream<PaymentEvent>(store, 'Payment-123')) console.log(event.type);
 */
export async function* iterateStream<E extends DomainEvent = DomainEvent>(
  store: EventStore,
  streamId: string,
  options: ReadStreamOptions = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const step = options.direction === 'backward' ? -1 : 1;
  let page = options;
  for (;;) {
    const slice = await store.readStream<E>(streamId, page);
    yield* slice.events;
    const last = slice.events.at(-1);
    if (slice.isEnd || last === undefined) return;
    page = { ...options, fromVersion: last.version + step };
  }
}

/**
 * The events of all streams in the order of their positions, read page by page (`limit` is the size of a page) until
 * the end that the store has when the last page is read.
 */
export async function* iterateAll<E extends DomainEvent = DomainEvent>(
  store: EventStore,
  options: ReadAllOptions = {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  let page = options;
  for (;;) {
    const slice = await store.readAll<E>(page);
    yield* slice.events;
    if (slice.isEnd) return;
    page = { ...options, after: slice.position };
  }
}
