import { LRUCache } from 'lru-cache';
import {
  InvalidArgumentError,
  type DomainEvent,
  type EventPublisher,
  type RecordedEvent,
} from 'temporal-event-store';

export type EventHandler<E extends DomainEvent> = (event: RecordedEvent<E>) => void | Promise<void>;

interface Subscription {
  /** Undefined: of every type. */
  readonly type: string | undefined;
  readonly handle: EventHandler<never>;
  /** Ids of events that the handler has taken. */
  readonly taken: LRUCache<string, true>;
}

/**
 * Brings what is published to handlers in this process, by event type. It is a publisher: `definePublisher` hands it all events.
 *
 * Publishing is at least once. A handler that throws doesn't keep an event from the others, and gets it again; those that
 * took it don't, as long as this process lives and remembers it.
 *
 * @example
 * const bus = new EventBus<PaymentEvent>();
 * bus.on('PaymentProcessed', ({ data }) => console.log(data.amount));
 * new EventStorePlugin({ store, projections: [definePublisher({ name: 'bus', publisher: bus })] });
 */
export class EventBus<E extends DomainEvent> implements EventPublisher {
  readonly #subscriptions = new Set<Subscription>();
  readonly #remembered: number;

  /**
   * @param options `remembered`: how many events a handler knows to have taken; default 10,000
   * @throws InvalidArgumentError when it is not a positive integer
   */
  constructor({ remembered = 10_000 }: { readonly remembered?: number } = {}) {
    if (!Number.isSafeInteger(remembered) || remembered < 1) {
      throw new InvalidArgumentError(`remembered is ${String(remembered)}: give a positive integer.`);
    }
    this.#remembered = remembered;
  }

  /** Calls the handler with each event of the type. @returns what ends that */
  on<Type extends E['type']>(type: Type, handle: EventHandler<Extract<E, DomainEvent<Type>>>): () => void {
    return this.#subscribe(type, handle);
  }

  /** Calls the handler with every event. @returns what ends that */
  onAny(handle: EventHandler<E>): () => void {
    return this.#subscribe(undefined, handle);
  }

  /** @throws AggregateError of what handlers threw, after all of them had the events */
  async publish(events: readonly RecordedEvent[]): Promise<void> {
    const failures = await Promise.all(
      [...this.#subscriptions].map((subscription) => deliver(subscription, events)),
    );
    const errors = failures.flat();
    if (errors.length > 0) {
      throw new AggregateError(errors, `${errors.length} times a handler failed: ${String(errors[0])}`);
    }
  }

  #subscribe(type: string | undefined, handle: EventHandler<never>): () => void {
    const subscription = { type, handle, taken: new LRUCache<string, true>({ max: this.#remembered }) };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }
}

/** One after the other: what a handler sees of a stream is in order, up to the first event that it doesn't take. */
async function deliver(
  { type, handle, taken }: Subscription,
  events: readonly RecordedEvent[],
): Promise<unknown[]> {
  for (const event of events) {
    if ((type !== undefined && event.type !== type) || taken.has(event.id)) continue;
    try {
      await handle(event as never);
      taken.set(event.id, true);
    } catch (error) {
      return [error];
    }
  }
  return [];
}
