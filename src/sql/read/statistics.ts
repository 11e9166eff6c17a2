import type { NormalFilter } from '../../core/store/read/filter.js';
import type { StoreStatistics, TrendBucket, TrendInterval } from '../../core/store/statistics/statistics.js';
import { boundsOf, fillBuckets } from '../../core/store/statistics/trends.js';
import { eq } from '../operators.js';
import type { SqlPort, SqlRow } from '../sql-port.js';
import { isoTime, milliseconds } from '../sql-time.js';
import { filterCondition, Parameters } from './filter-condition.js';

/** One pass over the events counts them by category and type; a second one counts the streams. */
export async function readStatistics(
  port: SqlPort,
  filters: readonly NormalFilter[] | undefined,
): Promise<StoreStatistics> {
  const parameters = new Parameters();
  const condition = filterCondition(filters, parameters);
  const streams =
    filters === undefined
      ? 'select pg_catalog.count(*) from __schema__.streams'
      : `select pg_catalog.count(*) from (select from __schema__.events where ${condition} group by stream_id) s`;
  const text = `
    with groups as materialized (
      select category, type, pg_catalog.count(*) as events, pg_catalog.min(position) as first, pg_catalog.max(position) as last
      from __schema__.events where ${condition} group by category, type
    )
    select g.category, g.type, g.events, g.first, g.last, (${streams}),
      (select ${milliseconds('occurred_at')} from __schema__.events
        where position ${eq} (select pg_catalog.min(first) from groups)),
      (select ${milliseconds('occurred_at')} from __schema__.events
        where position ${eq} (select pg_catalog.max(last) from groups))
    from groups g`;
  const rows = await port.query({ text, isConstant: filters === undefined }, parameters.values);
  const [any] = rows;
  if (any === undefined) return { total: 0, streams: 0, byType: {}, byCategory: {} };
  const total = rows.reduce((sum, row) => sum + Number(row[2]), 0);
  return {
    total,
    streams: Number(any[5]),
    byType: sumBy(rows, 1),
    byCategory: sumBy(rows, 0),
    first: { position: least(rows, 3), occurredAt: isoTime(Number(any[6])) },
    last: { position: greatest(rows, 4), occurredAt: isoTime(Number(any[7])) },
  };
}

export async function readTrends(
  port: SqlPort,
  filters: readonly NormalFilter[] | undefined,
  interval: TrendInterval,
): Promise<readonly TrendBucket[]> {
  const parameters = new Parameters();
  const unit = parameters.add(interval);
  const condition = filterCondition(filters, parameters);
  const text = `
    select ${milliseconds(`pg_catalog.date_trunc(${unit}, occurred_at at time zone interval '0')`)}, pg_catalog.count(*),
      ${milliseconds('pg_catalog.min(occurred_at)')}, ${milliseconds('pg_catalog.max(occurred_at)')}
    from __schema__.events where ${condition} group by 1`;
  const rows = await port.query({ text, isConstant: filters === undefined }, parameters.values);
  const bounds = boundsOf(filters);
  const at = (time: number): string | undefined => (rows.length === 0 ? undefined : isoTime(time));
  return fillBuckets(new Map(rows.map((row) => [isoTime(Number(row[0])), Number(row[1])])), interval, {
    from: bounds.from ?? at(least(rows, 2)),
    to: bounds.to ?? at(greatest(rows, 3)),
  });
}

// A loop, since a number for each of very many rows, as arguments of one call, would overflow the stack.

function least(rows: readonly SqlRow[], column: number): number {
  return rows.reduce((found, row) => Math.min(found, Number(row[column])), Infinity);
}

function greatest(rows: readonly SqlRow[], column: number): number {
  return rows.reduce((found, row) => Math.max(found, Number(row[column])), -Infinity);
}

/** The counts of {@link readStatistics}, by the name in a column. */
function sumBy(rows: readonly SqlRow[], column: 0 | 1): Record<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const name = row[column] ?? '';
    sums.set(name, (sums.get(name) ?? 0) + Number(row[2]));
  }
  return Object.fromEntries(sums);
}
