import { abortedSignal, errorOf, event, having, type Suite } from './suite.js';

export function describeStatistics({ describe, it, expect }: Suite): void {
  const at = (time: string, type = 'Happened') => ({ ...event(type), occurredAt: time });
  describe('statistics', () => {
    it('counts events by type and category, and streams', async (store, category) => {
      await store.appendToStream(`${category}-1`, [at('2024-01-02T00:00:00Z', 'Opened'), event('Paid')]);
      await store.appendToStream(`${category}-2`, [event('Opened')]);
      const last = await store.appendToStream(`${category}x-1`, [at('2024-01-01T00:00:00Z', 'Opened')]);
      const statistics = await having(
        store,
        'statistics',
      )({ filter: { categories: [category, `${category}x`] } });

      expect(statistics).toMatchObject({
        total: 4,
        streams: 3,
        byType: { Opened: 3, Paid: 1 },
        byCategory: { [category]: 3, [`${category}x`]: 1 },
        first: { occurredAt: '2024-01-02T00:00:00.000Z' },
        last: { occurredAt: '2024-01-01T00:00:00.000Z', position: last.position },
      });
    });

    it('counts a repeated commit once, and a refused one not at all', async (store, category) => {
      const streamId = `${category}-1`;
      for (let copy = 0; copy < 3; copy++) {
        await store.appendToStream(streamId, [at('2024-01-02T00:00:00Z', 'Opened')], { commitId: 'c' });
      }
      await errorOf(
        store.appendToStream(streamId, [at('2024-01-03T00:00:00Z', 'Paid')], { expectedVersion: 'noStream' }),
      );
      const filter = { categories: [category] };

      expect(await having(store, 'statistics')({ filter })).toMatchObject({
        total: 1,
        streams: 1,
        byType: { Opened: 1 },
      });
      expect(await having(store, 'trends')({ filter, interval: 'day' })).toEqual([
        { start: '2024-01-02T00:00:00.000Z', count: 1 },
      ]);
    });

    it('counts an event once that two filters take', async (store, category) => {
      await store.appendToStream(`${category}-1`, [
        at('2024-01-02T00:00:00Z', 'Opened'),
        at('2024-01-02T01:00:00Z', 'Paid'),
      ]);
      const filter = [{ categories: [category] }, { categories: [category], types: ['Paid'] }];
      expect(await having(store, 'statistics')({ filter })).toMatchObject({
        total: 2,
        byType: { Opened: 1, Paid: 1 },
      });
      expect(await having(store, 'trends')({ filter, interval: 'day' })).toEqual([
        { start: '2024-01-02T00:00:00.000Z', count: 2 },
      ]);
    });

    it('rejects with the reason of an aborted signal', async (store) => {
      const signal = abortedSignal();
      for (const counting of [
        having(store, 'statistics')({ signal }),
        having(store, 'trends')({ signal, interval: 'day' }),
      ]) {
        expect(await errorOf(counting)).toMatchObject({ message: 'enough' });
      }
    });

    it('counts nothing where nothing fits', async (store, category) => {
      expect(await having(store, 'statistics')({ filter: { categories: [category] } })).toEqual({
        total: 0,
        streams: 0,
        byType: {},
        byCategory: {},
      });
    });

    const times = [
      '2024-01-31T23:30:00Z',
      '2024-02-01T00:00:00Z',
      '2024-02-01T02:59:59.999Z',
      '2024-02-12T12:00:00+02:00',
    ];
    for (const { interval, buckets } of [
      {
        interval: 'month',
        buckets: [
          ['2024-01-01T00', 1],
          ['2024-02-01T00', 3],
        ],
      },
      {
        interval: 'week',
        buckets: [
          ['2024-01-29T00', 3],
          ['2024-02-05T00', 0],
          ['2024-02-12T00', 1],
        ],
      },
      {
        interval: 'day',
        buckets: [
          ['2024-01-31T00', 1],
          ['2024-02-01T00', 2],
          ...Array.from({ length: 10 }, (_, day) => [`2024-02-${String(day + 2).padStart(2, '0')}T00`, 0]),
          ['2024-02-12T00', 1],
        ],
      },
    ] as const) {
      it(`counts by ${interval}, the empty ones too`, async (store, category) => {
        await store.appendToStream(
          `${category}-1`,
          times.map((time) => at(time)),
        );
        const trends = await having(store, 'trends')({ filter: { categories: [category] }, interval });
        expect(trends.map(({ start, count }) => [start.slice(0, 13), count])).toEqual(
          buckets.map((each) => [...each]),
        );
      });
    }

    it('counts by hour, from and to where the filter says', async (store, category) => {
      await store.appendToStream(
        `${category}-1`,
        times.map((time) => at(time)),
      );
      const trends = await having(
        store,
        'trends',
      )({
        filter: {
          categories: [category],
          occurredFrom: '2024-01-31T22:10:00Z',
          occurredTo: '2024-02-01T01:00:00Z',
        },
        interval: 'hour',
      });
      expect(trends).toEqual([
        { start: '2024-01-31T22:00:00.000Z', count: 0 },
        { start: '2024-01-31T23:00:00.000Z', count: 1 },
        { start: '2024-02-01T00:00:00.000Z', count: 1 },
        { start: '2024-02-01T01:00:00.000Z', count: 0 },
      ]);
    });

    it('has no buckets where nothing fits', async (store, category) => {
      expect(await having(store, 'trends')({ filter: { categories: [category] }, interval: 'day' })).toEqual(
        [],
      );
    });

    for (const [what, options] of [
      ['an unknown interval', { interval: 'year' }],
      ['no interval', {}],
      ['no options', undefined],
      [
        'more intervals than anyone can read',
        {
          interval: 'hour',
          filter: { occurredFrom: '1000-01-01T00:00:00Z', occurredTo: '2000-01-01T00:00:00Z' },
        },
      ],
    ] as const) {
      it(`refuses ${what}`, async (store) => {
        expect(await errorOf(having(store, 'trends')(options as never))).toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      });
    }
  });
}
