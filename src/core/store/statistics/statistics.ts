import { assertOptions, isSignal, oneOf, validatedElsewhere } from '../../options/options.js';
import type { EventFilter } from '../event-store.js';
import { normalizeFilters, type NormalFilter } from '../read/filter.js';

export interface EventStatistics {
  statistics(options?: StatisticsOptions): Promise<StoreStatistics>;
  /** Counts by `occurredAt` in UTC. Empty buckets are present; weeks start on Monday. */
  trends(options: TrendsOptions): Promise<readonly TrendBucket[]>;
}

export interface StatisticsOptions {
  readonly filter?: EventFilter | readonly EventFilter[];
  readonly signal?: AbortSignal;
}

export interface StoreStatistics {
  readonly total: number;
  /** Number of different streams. */
  readonly streams: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byCategory: Readonly<Record<string, number>>;
  /** The first event by position; absent when there is none. */
  readonly first?: EventPlace;
  /** The last event by position; absent when there is none. */
  readonly last?: EventPlace;
}

export interface EventPlace {
  readonly position: number;
  readonly occurredAt: string;
}

export type TrendInterval = 'hour' | 'day' | 'week' | 'month';

export interface TrendsOptions extends StatisticsOptions {
  readonly interval: TrendInterval;
}

export interface TrendBucket {
  /** Start of the interval, ISO 8601 in UTC. */
  readonly start: string;
  readonly count: number;
}

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkStatistics(options: StatisticsOptions = {}): readonly NormalFilter[] | undefined {
  assertOptions('statistics', options, { filter: validatedElsewhere, signal: isSignal });
  options.signal?.throwIfAborted();
  return normalizeFilters(options.filter);
}

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkTrends(options: TrendsOptions): {
  readonly filters: readonly NormalFilter[] | undefined;
  readonly interval: TrendInterval;
} {
  assertOptions(
    'trends',
    options,
    { filter: validatedElsewhere, interval: oneOf('hour', 'day', 'week', 'month'), signal: isSignal },
    ['interval'],
  );
  options.signal?.throwIfAborted();
  return { filters: normalizeFilters(options.filter), interval: options.interval };
}
