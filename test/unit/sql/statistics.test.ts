import { describe, expect, it } from 'vitest';
import { readStatistics, readTrends } from '../../../src/sql/read/statistics.js';
import type { SqlPort, SqlRow } from '../../../src/sql/sql-port.js';

/** More than a call takes as arguments. */
const many = 200_000;

/** A server that answers with these rows. */
function answering(rows: readonly SqlRow[]): SqlPort {
  return {
    query: <T>(_statement: unknown, _values: unknown, map = (row: SqlRow): T => row as T) =>
      Promise.resolve(rows.map(map)),
  };
}

describe('statistics', () => {
  it('are told of more categories than a call takes arguments', async () => {
    const rows = Array.from({ length: many }, (_, index) => [
      `Category${index}`,
      'Opened',
      '2',
      String(many - index),
      String(many + index),
      String(many),
      '0',
      '60000',
    ]);

    const statistics = await readStatistics(answering(rows), undefined);

    expect(statistics).toMatchObject({ total: 2 * many, streams: many, byType: { Opened: 2 * many } });
    expect(Object.keys(statistics.byCategory)).toHaveLength(many);
    expect(statistics.first).toEqual({ position: 1, occurredAt: '1970-01-01T00:00:00.000Z' });
    expect(statistics.last).toEqual({ position: 2 * many - 1, occurredAt: '1970-01-01T00:01:00.000Z' });
  });
});

describe('trends', () => {
  it('are told of the hours of eight years', async () => {
    const hours = 70_000;
    const at = (hour: number): string => String(hour * 3_600_000);
    const rows = Array.from({ length: hours }, (_, hour) => [at(hour), '1', at(hour), at(hour + 0.5)]);

    const buckets = await readTrends(answering(rows.toReversed()), undefined, 'hour');

    expect(buckets).toHaveLength(hours);
    expect(buckets[0]).toEqual({ start: '1970-01-01T00:00:00.000Z', count: 1 });
    expect(buckets.every(({ count }) => count === 1)).toBe(true);
  });

  it('of many small groups cover all of them', async () => {
    const rows = Array.from({ length: many }, () => ['0', '1', '0', '7199000']);
    expect(await readTrends(answering(rows), undefined, 'hour')).toHaveLength(2);
  });

  it('are none where there is no event', async () => {
    expect(await readTrends(answering([]), undefined, 'hour')).toEqual([]);
  });
});
