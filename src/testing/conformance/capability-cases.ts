import { errorOf, event, events, having, type Suite } from './suite.js';

export function describeCommitChain({ describe, it, expect }: Suite): void {
  describe('append commits', () => {
    it('appends several commits one after the other', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, [event()]);
      const results = await having(store, 'appendCommits')(
        streamId,
        [
          { commitId: 'a', events: events(2) },
          { commitId: 'b', events: [event('Other')], metadata: { actor: 'ann' } },
        ],
        { expectedVersion: 1 },
      );
      const slice = await store.readStream(streamId);

      expect(results.map(({ commitId, version }) => [commitId, version])).toEqual([
        ['a', 3],
        ['b', 4],
      ]);
      expect(slice.events.map((each) => each.type)).toEqual(['Happened', 'Happened', 'Happened', 'Other']);
      expect(slice.events[3]?.metadata.actor).toBe('ann');
      expect(await store.findCommit(streamId, 'a')).toEqual({ ...results[0], deduplicated: true });
    });

    it('appends nothing when one of the commits is stored already', async (store, category) => {
      const streamId = `${category}-1`;
      await store.appendToStream(streamId, [event()], { commitId: 'b' });
      const commits = ['a', 'b', 'c'].map((commitId) => ({ commitId, events: [event()] }));
      const error = await errorOf(having(store, 'appendCommits')(streamId, commits));

      expect(error).toMatchObject({ code: 'COMMIT_EXISTS', streamId, commitIds: ['b'] });
      expect((await store.readStream(streamId)).version).toBe(1);
    });

    it('appends nothing when the stream is not at the expected version', async (store, category) => {
      const commits = [{ commitId: 'a', events: [event()] }];
      const append = having(store, 'appendCommits')(`${category}-1`, commits, {
        expectedVersion: 'streamExists',
      });
      expect(await errorOf(append)).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 });
    });

    it('appends nothing when one event is invalid, and says which', async (store, category) => {
      const commits = [
        { commitId: 'a', events: [event()] },
        { commitId: 'b', events: [event(), event('Happened', [1n])] },
      ];
      const error = await errorOf(having(store, 'appendCommits')(`${category}-1`, commits));
      expect(error).toMatchObject({ code: 'INVALID_EVENT', path: 'commits[1].events[1].data[0]' });
      expect((await store.readStream(`${category}-1`)).version).toBe(0);
    });

    for (const [what, commits] of [
      ['no commits', []],
      ['a commit without events', [{ commitId: 'a', events: [] }]],
      ['a commit without an id', [{ events: [event()] }]],
      ['one id twice', ['a', 'a'].map((commitId) => ({ commitId, events: [event()] }))],
    ] as const) {
      it(`refuses ${what}`, async (store, category) => {
        const error = await errorOf(having(store, 'appendCommits')(`${category}-1`, commits as never));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    }
  });
}

export function describeSnapshots({ describe, it, expect }: Suite): void {
  const model = { name: 'Account', version: 1 };
  describe('snapshots', () => {
    it('keeps the newest snapshot of a stream and model', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const streamId = `${category}-1`;
      expect(await snapshots.load(streamId, model)).toBe(undefined);
      await snapshots.save(streamId, model, 5, { balance: 7 });
      await snapshots.save(streamId, model, 3, { balance: 1 });

      expect(await snapshots.load(streamId, model)).toEqual({ version: 5, state: { balance: 7 } });
      expect(await snapshots.load(`${category}-2`, model)).toBe(undefined);
      expect(await snapshots.load(streamId, { ...model, name: 'Other' })).toBe(undefined);
    });

    it('does not return the snapshot of another model version, and replaces it', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const streamId = `${category}-1`;
      await snapshots.save(streamId, model, 5, { balance: 7 });

      expect(await snapshots.load(streamId, { ...model, version: 2 })).toBe(undefined);
      await snapshots.save(streamId, { ...model, version: 2 }, 4, { cents: 700 });
      expect(await snapshots.load(streamId, { ...model, version: 2 })).toEqual({
        version: 4,
        state: { cents: 700 },
      });
    });

    it('deletes a snapshot', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      await snapshots.save(`${category}-1`, model, 5, null);
      await snapshots.delete(`${category}-1`, model);
      expect(await snapshots.load(`${category}-1`, model)).toBe(undefined);
    });

    it('refuses a state that is not JSON, and a malformed model', async (store, category) => {
      const snapshots = having(store, 'snapshots');
      const save = snapshots.save(`${category}-1`, model, 1, { at: new Date(0) } as never);
      expect(await errorOf(save)).toMatchObject({ code: 'INVALID_ARGUMENT' });
      const load = snapshots.load(`${category}-1`, { name: '', version: 1 });
      expect(await errorOf(load)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });
}

export function describeCheckpoints({ describe, it, expect }: Suite): void {
  describe('checkpoints', () => {
    it('keeps the furthest checkpoint of a name', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      expect(await checkpoints.load(category)).toBe(undefined);
      await checkpoints.save(category, { position: 5, storeId: 's' });
      await checkpoints.save(category, { position: 3, storeId: 's' });
      expect(await checkpoints.load(category)).toEqual({ position: 5, storeId: 's' });
    });

    it('starts again in another store, and when it was deleted', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      await checkpoints.save(category, { position: 5, storeId: 's' });
      await checkpoints.save(category, { position: 2, storeId: 'restored' });
      expect(await checkpoints.load(category)).toEqual({ position: 2, storeId: 'restored' });
      await checkpoints.delete(category);
      expect(await checkpoints.load(category)).toBe(undefined);
    });

    it('refuses a malformed checkpoint', async (store, category) => {
      const save = having(store, 'checkpoints').save(category, { position: -1, storeId: 's' });
      expect(await errorOf(save)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });
}

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
