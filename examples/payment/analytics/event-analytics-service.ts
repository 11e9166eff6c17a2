import {
  InvalidArgumentError,
  type EventFilter,
  type EventStatistics,
  type StoreStatistics,
  type TrendBucket,
  type TrendInterval,
} from 'temporal-event-store';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';

/** Both ends belong to it. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** How often something happened to payments in a period. */
export interface EventCount {
  readonly eventType: PaymentEvent['type'];
  readonly total: number;
  /** How many payments it happened to. */
  readonly payments: number;
  /** Of all events of payments in the period, 0 to 1. */
  readonly share: number;
}

/**
 * Counts the events of payments. Given a `TemporalEventStore` it needs a Temporal client and no database; the counting is done
 * by the store of the worker. An error is an error, never a count of zero.
 */
export class EventAnalyticsService {
  readonly #store: EventStatistics;

  constructor(store: EventStatistics) {
    this.#store = store;
  }

  /** @throws InvalidArgumentError for a period that ends before it begins @throws StoreUnavailableError without an answer */
  async statistics(eventType: PaymentEvent['type'], period: Period): Promise<EventCount> {
    const [ofType, all] = await Promise.all([
      this.#store.statistics({ filter: filterOf(period, eventType) }),
      this.#store.statistics({ filter: filterOf(period) }),
    ]);
    const { total, streams } = ofType;
    return { eventType, total, payments: streams, share: all.total === 0 ? 0 : total / all.total };
  }

  /** Counts of every type that there is in the period. @throws as {@link statistics} does */
  async countsByType(period: Period): Promise<StoreStatistics['byType']> {
    return (await this.#store.statistics({ filter: filterOf(period) })).byType;
  }

  /**
   * How often it happened in each hour, day, week (from Monday) or month of the period, in UTC; zeros too.
   *
   * @throws as {@link statistics} does; and InvalidArgumentError for more than 100,000 intervals
   */
  async trends(
    eventType: PaymentEvent['type'],
    period: Period,
    interval: TrendInterval,
  ): Promise<readonly TrendBucket[]> {
    return this.#store.trends({ filter: filterOf(period, eventType), interval });
  }
}

function filterOf({ from, to }: Period, eventType?: PaymentEvent['type']): EventFilter {
  // The negation, because no comparison with an invalid date is true.
  if (!(from <= to)) throw new InvalidArgumentError('A period is two dates, the first not after the second.');
  return {
    categories: [PaymentAggregate.category],
    occurredFrom: from.toISOString(),
    occurredTo: to.toISOString(),
    ...(eventType !== undefined && { types: [eventType] }),
  };
}
