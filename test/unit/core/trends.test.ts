import fc from 'fast-check';
import type { TrendInterval } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { startOfInterval } from '../../../src/core/store/statistics/trends.js';

const intervals: readonly TrendInterval[] = ['hour', 'day', 'week', 'month'];
const hour = 3_600_000;
const lengths = {
  hour: [hour, hour],
  day: [24 * hour, 24 * hour],
  week: [168 * hour, 168 * hour],
  month: [28 * 24 * hour, 31 * 24 * hour],
} as const;

async function storeOf(times: readonly string[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  const events = times.map((occurredAt) => ({ type: 'Happened', data: null, occurredAt }));
  if (events.length > 0) await store.appendToStream('Account-1', events);
  return store;
}

describe('the interval of a time', () => {
  it.each([
    ['hour', '2024-02-29T23:59:59.999Z', '2024-02-29T23:00:00.000Z'],
    ['day', '2024-02-29T23:59:59.999Z', '2024-02-29T00:00:00.000Z'],
    ['week', '2024-02-29T23:59:59.999Z', '2024-02-26T00:00:00.000Z'],
    ['week', '2024-02-26T00:00:00.000Z', '2024-02-26T00:00:00.000Z'],
    ['week', '2024-03-03T23:59:59.999Z', '2024-02-26T00:00:00.000Z'],
    ['week', '2021-01-01T00:00:00.000Z', '2020-12-28T00:00:00.000Z'],
    ['week', '0001-01-01T12:00:00.000Z', '0001-01-01T00:00:00.000Z'],
    ['month', '2024-02-29T23:59:59.999Z', '2024-02-01T00:00:00.000Z'],
    ['month', '2024-12-31T23:59:59.999Z', '2024-12-01T00:00:00.000Z'],
  ] as const)('by %s, of %s, starts at %s', (interval, time, start) => {
    expect(startOfInterval(time, interval)).toBe(start);
  });
});

describe('trends', () => {
  const times = fc.array(
    fc
      .date({ min: new Date('1999-12-01'), max: new Date('2000-03-15'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    { minLength: 1, maxLength: 30 },
  );

  it('count every event once, in buckets that follow each other without a gap', async () => {
    await fc.assert(
      fc.asyncProperty(times, fc.constantFrom(...intervals), async (occurred, interval) => {
        const buckets = await (await storeOf(occurred)).trends({ interval });
        const starts = buckets.map((bucket) => Date.parse(bucket.start));
        const [least, most] = lengths[interval];

        expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(occurred.length);
        expect(buckets.at(0)?.count).toBeGreaterThan(0);
        expect(buckets.at(-1)?.count).toBeGreaterThan(0);
        const gaps = starts.slice(1).map((start, index) => start - starts[index]!);
        expect(gaps.filter((gap) => gap < least || gap > most)).toEqual([]);
        const occupied = buckets.filter((bucket) => bucket.count > 0).map((bucket) => bucket.start);
        const expected = new Set(occurred.map((time) => startOfInterval(time, interval)));
        expect(occupied).toEqual([...expected].sort());
      }),
      { numRuns: 100 },
    );
  });

  it.each(intervals)('reach the end of the calendar, by %s', async (interval) => {
    const store = await storeOf(['9999-12-01T00:00:00Z', '9999-12-31T23:59:59.999Z']);
    const buckets = await store.trends({ interval });
    expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(2);
    expect(buckets.at(-1)?.start).toBe(startOfInterval('9999-12-31T23:59:59.999Z', interval));
  });

  it.each([
    [
      'both bounds of two filters',
      [
        { occurredFrom: '2024-01-02T00:00:00Z', occurredTo: '2024-01-02T12:00:00Z' },
        { occurredFrom: '2024-01-04T00:00:00Z', occurredTo: '2024-01-05T00:00:00Z' },
      ],
      ['02', '03', '04', '05'],
    ],
    [
      'the bounds in whatever order the filters come',
      [
        { occurredFrom: '2024-01-04T00:00:00Z', occurredTo: '2024-01-05T00:00:00Z' },
        { occurredFrom: '2024-01-02T00:00:00Z', occurredTo: '2024-01-02T12:00:00Z' },
      ],
      ['02', '03', '04', '05'],
    ],
    [
      'the events, where one of two filters is open',
      [{ occurredFrom: '2024-01-02T00:00:00Z', occurredTo: '2024-01-02T12:00:00Z' }, { types: ['Happened'] }],
      ['01', '02', '03'],
    ],
    ['from the bound to the last event', { occurredFrom: '2024-01-02T00:00:00Z' }, ['02', '03']],
    ['from the first event to the bound', { occurredTo: '2024-01-02T00:00:00Z' }, ['01', '02']],
  ])('cover %s', async (_what, filter, days) => {
    const store = await storeOf(['2024-01-01T00:00:00Z', '2024-01-03T00:00:00Z']);
    const buckets = await store.trends({ interval: 'day', filter });
    expect(buckets.map(({ start }) => start.slice(8, 10))).toEqual(days);
  });

  it.each([
    {},
    { filter: { occurredFrom: '2024-01-02T00:00:00Z' } },
    { filter: { occurredTo: '2024-01-02T00:00:00Z' } },
  ])('are none where there is neither an event nor a bound: %j', async (options) => {
    expect(await (await storeOf([])).trends({ ...options, interval: 'day' })).toEqual([]);
  });
});
