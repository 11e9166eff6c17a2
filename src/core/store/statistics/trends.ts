import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import type { NormalFilter } from '../read/filter.js';
import type { TrendBucket, TrendInterval } from './statistics.js';

/** More empty buckets than this help nobody. */
const maxBuckets = 100_000;

/** The start of the interval that a time falls in, in UTC; weeks start on Monday. */
export function startOfInterval(time: string, interval: TrendInterval): string {
  const date = new Date(time);
  date.setUTCMinutes(0, 0, 0);
  if (interval !== 'hour') date.setUTCHours(0);
  if (interval === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  if (interval === 'month') date.setUTCDate(1);
  return date.toISOString();
}

/**
 * Buckets from the first to the last, the empty ones included.
 *
 * @param counts by start of interval
 * @param range what to cover: the filter's own bounds, else the first and last event
 * @throws {@link InvalidArgumentError} when the range has more than 100,000 intervals
 */
export function fillBuckets(
  counts: ReadonlyMap<string, number>,
  interval: TrendInterval,
  range: { readonly from: string | undefined; readonly to: string | undefined },
): readonly TrendBucket[] {
  const { from, to } = range;
  if (from === undefined || to === undefined) return [];
  const buckets: TrendBucket[] = [];
  // As numbers: what follows the year 9999 is written as +010000 and sorts before it.
  const last = Date.parse(startOfInterval(to, interval));
  for (
    let start = startOfInterval(from, interval);
    Date.parse(start) <= last;
    start = nextStart(start, interval)
  ) {
    if (buckets.length === maxBuckets) {
      throw new InvalidArgumentError(
        `From ${from} to ${to} there are more than ${maxBuckets} intervals of one ${interval}. Take a longer interval.`,
      );
    }
    buckets.push({ start, count: counts.get(start) ?? 0 });
  }
  return buckets;
}

/** The bounds that the filters set together: a side is open when any of them leaves it open. */
export function boundsOf(filters: readonly NormalFilter[] | undefined): {
  readonly from: string | undefined;
  readonly to: string | undefined;
} {
  const froms = filters?.map((filter) => filter.occurredFrom) ?? [];
  const tos = filters?.map((filter) => filter.occurredTo) ?? [];
  return {
    from: froms.includes(undefined) ? undefined : (froms as string[]).sort().at(0),
    to: tos.includes(undefined) ? undefined : (tos as string[]).sort().at(-1),
  };
}

function nextStart(start: string, interval: TrendInterval): string {
  const date = new Date(start);
  if (interval === 'hour') date.setUTCHours(date.getUTCHours() + 1);
  else if (interval === 'month') date.setUTCMonth(date.getUTCMonth() + 1);
  else date.setUTCDate(date.getUTCDate() + (interval === 'week' ? 7 : 1));
  return date.toISOString();
}
