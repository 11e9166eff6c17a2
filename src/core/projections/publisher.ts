import type { DomainEvent, RecordedEvent } from '../events/event.js';
import { validatedElsewhere, assertOptions, isName, type OptionCheck } from '../options/options.js';
import { inTime } from './handler-timeout.js';
import { projectionOf, type Projection, type ProjectionDefinition } from './projection.js';

/** Sends events to a broker, a webhook, or handlers in the process. It may get an event again, with the same `id`. */
export interface EventPublisher<E extends DomainEvent = DomainEvent> {
  /**
   * @throws RetryLaterError when no event is to blame: the events come again for as long as it takes. Any other
   *   error counts as an event that can't be published
   */
  publish(events: readonly RecordedEvent<E>[], limits?: PublishLimits): Promise<void>;
}

/** What a publisher gets beside its events. */
export interface PublishLimits {
  /**
   * Milliseconds until the call counts as failed: `handlerTimeout`. A publisher that needs longer throws a {@link
   * RetryLaterError} in time, which says how many events are `done`; the others come again.
   */
  readonly timeout: number;
}

export interface PublisherDefinition<E extends DomainEvent = DomainEvent> extends Pick<
  ProjectionDefinition<E>,
  'name' | 'filter' | 'sink' | 'onPoison' | 'maxAttempts' | 'handlerTimeout' | 'shards' | 'pageBytes'
> {
  readonly publisher: EventPublisher<E>;
  /** Most events in one call of `publish`. Default 100. */
  readonly pageSize?: number;
}

/**
 * Declares a projection that hands events to a publisher, in order and at least once, from the first event that matches
 * its filter. Its checkpoints are in the store. To park events it needs a `sink`, whose transaction then stays open
 * while a page is published.
 *
 * @throws {@link InvalidArgumentError} for a missing, unknown or malformed option, or for 'park' without a sink
 * @example
 * const toBroker = definePublisher({
 *   name: 'payments-to-broker',
 *   filter: { categories: ['Payment'] },
 *   publisher: { publish: async (events) => broker.send(events.map((event) => toCloudEvent(event))) },
 * });
 */
export function definePublisher(definition: PublisherDefinition): Projection;
export function definePublisher<E extends DomainEvent>(definition: PublisherDefinition<E>): Projection<E>;
export function definePublisher<E extends DomainEvent>(definition: PublisherDefinition<E>): Projection<E> {
  assertOptions(
    'definePublisher',
    definition,
    {
      name: isName,
      publisher: isPublisher,
      // Checked by defineProjection.
      filter: validatedElsewhere,
      sink: validatedElsewhere,
      onPoison: validatedElsewhere,
      maxAttempts: validatedElsewhere,
      handlerTimeout: validatedElsewhere,
      shards: validatedElsewhere,
      pageSize: validatedElsewhere,
      pageBytes: validatedElsewhere,
    },
    ['name', 'publisher'],
  );
  const { publisher, ...rest } = definition;
  const projection = projectionOf<E, unknown>({ pageSize: 100, ...rest }, (timeout) => async (events) => {
    await inTime(timeout, `'publish' of '${rest.name}'`, publisher.publish(events, { timeout }));
  });
  return { ...projection, publishes: true };
}

/** Whether something is an {@link EventPublisher}. */
export const isPublisher: OptionCheck = (value) =>
  typeof (value as Partial<EventPublisher> | null | undefined)?.publish === 'function'
    ? undefined
    : 'an EventPublisher';
