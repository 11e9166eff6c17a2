import type { EventToAppend } from '../../core/events/event.js';
import type { EventFilter, EventStore } from '../../core/store/event-store.js';
import { iterateAll } from '../../core/store/read/iterate.js';
import { subscribe } from '../../core/store/read/subscribe.js';
import { abortedSignal, errorOf, event, events, versionsOf, type Suite } from './suite.js';

/** What `append` below stores, as `<stream>@<version>`. */
async function appendSample(store: EventStore, category: string): Promise<void> {
  const at = (day: string, given: Partial<EventToAppend>): EventToAppend => ({
    ...event(),
    occurredAt: `2024-01-${day}T00:00:00Z`,
    ...given,
  });
  await store.appendToStream(`${category}-1`, [
    at('01', { type: 'Opened', tags: ['eu'], metadata: { correlationId: `${category}/a` } }),
    at('02', { type: 'Paid', tags: ['eu', 'card'] }),
  ]);
  await store.appendToStream(`${category}-2`, [at('03', { type: 'Opened', tags: ['us'] })]);
  await store.appendToStream(`${category}x-1`, [
    at('04', { type: 'Paid', metadata: { correlationId: `${category}/a` } }),
  ]);
  await store.appendToStream(`${category}-1`, [
    at('05', { type: 'Closed', metadata: { correlationId: `${category}/b` } }),
  ]);
}

export function describeReadAll({ describe, it, expect }: Suite): void {
  describe('read all', () => {
    const cases: readonly (readonly [string, (category: string) => EventFilter | EventFilter[], string[]])[] =
      [
        ['a category', (category) => ({ categories: [category] }), ['-1@1', '-1@2', '-2@1', '-1@3']],
        ['two categories', (c) => ({ categories: [c, `${c}x`] }), ['-1@1', '-1@2', '-2@1', 'x-1@1', '-1@3']],
        ['a type', (c) => ({ categories: [c, `${c}x`], types: ['Paid'] }), ['-1@2', 'x-1@1']],
        ['two types', (c) => ({ categories: [c], types: ['Paid', 'Closed'] }), ['-1@2', '-1@3']],
        ['a tag', (c) => ({ categories: [c], tags: ['eu'] }), ['-1@1', '-1@2']],
        ['all of two tags', (c) => ({ categories: [c], tags: ['card', 'eu'] }), ['-1@2']],
        ['a correlation id', (c) => ({ correlationId: `${c}/a` }), ['-1@1', 'x-1@1']],
        ['times from', (c) => ({ categories: [c], occurredFrom: '2024-01-03T00:00:00Z' }), ['-2@1', '-1@3']],
        [
          'times to',
          (c) => ({ categories: [c], occurredTo: new Date('2024-01-02T00:00:00Z') }),
          ['-1@1', '-1@2'],
        ],
        [
          'times from and to',
          (c) => ({
            categories: [c],
            occurredFrom: '2024-01-02T00:00:00Z',
            occurredTo: '2024-01-03T01:00:00+01:00',
          }),
          ['-1@2', '-2@1'],
        ],
        [
          'any of two filters',
          (c) => [{ categories: [`${c}x`] }, { categories: [c], types: ['Closed'] }],
          ['x-1@1', '-1@3'],
        ],
        ['nothing that there is', (c) => ({ categories: [c], types: ['Never'] }), []],
      ];
    for (const [what, filter, expected] of cases) {
      it(`filters by ${what}, in both directions and page by page`, async (store, category) => {
        await appendSample(store, category);
        const places = async (options: object): Promise<string[]> => {
          const found: string[] = [];
          for await (const each of iterateAll(store, { filter: filter(category), ...options })) {
            found.push(`${each.streamId.slice(category.length)}@${each.version}`);
          }
          return found;
        };
        const reversed = [...expected].reverse();
        const [forward, paged, backward, backwardPaged] = await Promise.all([
          places({}),
          places({ limit: 1 }),
          places({ direction: 'backward' }),
          places({ direction: 'backward', limit: 1 }),
        ]);
        expect(forward).toEqual(expected);
        expect(paged).toEqual(expected);
        expect(backward).toEqual(reversed);
        expect(backwardPaged).toEqual(reversed);
      });
    }

    it('reads an event once that two filters take', async (store, category) => {
      await appendSample(store, category);
      const filter = [{ categories: [category] }, { categories: [category], types: ['Paid', 'Opened'] }];
      const seen: string[] = [];
      for await (const { type } of iterateAll(store, { filter, limit: 2 })) seen.push(type);
      expect(seen).toEqual(['Opened', 'Paid', 'Opened', 'Closed']);
    });

    it('takes an event only when one of several filters takes all of it', async (store, category) => {
      await appendSample(store, category);
      const filter = [
        { categories: [category], types: ['Opened'], tags: ['us'] },
        { categories: [`${category}x`], types: ['Paid'], correlationId: `${category}/a` },
      ];
      const { events: found } = await store.readAll({ filter });
      expect(found.map(({ streamId }) => streamId)).toEqual([`${category}-2`, `${category}x-1`]);
    });

    it('filters by the correlation id that an append gives to all its events', async (store, category) => {
      const correlationId = `${category}/k`;
      const own = { ...event('Own'), metadata: { correlationId: `${category}/own` } };
      await store.appendToStream(`${category}-1`, [event('Shared'), own], { metadata: { correlationId } });
      const { events: found } = await store.readAll({ filter: { correlationId } });
      expect(found.map(({ type }) => type)).toEqual(['Shared']);
    });

    it('filters by the time of an event that was given none', async (store, category) => {
      await store.appendToStream(`${category}-1`, [event()]);
      const categories = [category];
      const [stored] = (await store.readAll({ filter: { categories } })).events;
      const time = stored?.occurredAt ?? '';
      const at = await store.readAll({ filter: { categories, occurredFrom: time, occurredTo: time } });
      const past = await store.readAll({ filter: { categories, occurredTo: '2000-01-01T00:00:00Z' } });
      expect([at.events.length, past.events.length]).toEqual([1, 0]);
    });

    it('orders events by their positions, whatever their times say', async (store, category) => {
      for (const [stream, day] of [
        ['2', '03'],
        ['1', '02'],
        ['2', '01'],
      ] as const) {
        const occurredAt = `2024-01-${day}T00:00:00Z`;
        await store.appendToStream(`${category}-${stream}`, [{ ...event(day), occurredAt }]);
      }
      const filter = { categories: [category] };
      const { events: found } = await store.readAll({ filter });
      const stream = await store.readStream(`${category}-2`);
      expect(found.map(({ type }) => type)).toEqual(['03', '02', '01']);
      expect(stream.events.map(({ type }) => type)).toEqual(['03', '01']);
    });

    it('stays where it is when there is nothing new', async (store, category) => {
      const { position } = await store.appendToStream(`${category}-1`, events(2));
      const slice = await store.readAll({ filter: { categories: [category] }, after: position });
      expect(slice).toMatchObject({ events: [], isEnd: true });
      expect(slice.position >= position).toBe(true);
    });

    it('rejects with the reason of an aborted signal', async (store) => {
      const signal = abortedSignal();
      expect(await errorOf(store.readAll({ signal }))).toMatchObject({ message: 'enough' });
    });

    it('takes no tag for a correlation id, nor the other way round', async (store, category) => {
      await store.appendToStream(`${category}-1`, [{ ...event(), tags: [`${category}/x`] }]);
      await store.appendToStream(`${category}-1`, [
        { ...event(), metadata: { correlationId: `${category}/y` } },
      ]);

      for (const [filter, versions] of [
        [{ tags: [`${category}/x`] }, [1]],
        [{ correlationId: `${category}/y` }, [2]],
        [{ correlationId: `${category}/x` }, []],
        [{ tags: [`${category}/y`] }, []],
      ] as const) {
        expect(versionsOf(await store.readAll({ filter }))).toEqual(versions);
      }
    });

    it('says that it is at the end on an exactly full page', async (store, category) => {
      await store.appendToStream(`${category}-1`, events(4));
      const filter = { categories: [category] };
      const half = await store.readAll({ filter, limit: 2 });
      const rest = await store.readAll({ filter, limit: 2, after: half.position });

      expect([half.isEnd, rest.isEnd]).toEqual([false, true]);
      expect([half.events.length, rest.events.length]).toEqual([2, 2]);
    });

    it('gives a position past what the filter left out', async (store, category) => {
      await store.appendToStream(`${category}-1`, [event('Wanted')]);
      const last = await store.appendToStream(`${category}-2`, events(3, 'Other'));
      const slice = await store.readAll({ filter: { categories: [category], types: ['Wanted'] } });

      expect(slice.events.map((each) => each.type)).toEqual(['Wanted']);
      expect(slice.isEnd).toBe(true);
      expect(slice.position >= last.position).toBe(true);
    });

    it('goes on from the last position without losing or repeating an event', async (store, category) => {
      const filter = { categories: [category] };
      const seen: number[] = [];
      let after = 0;
      for (let round = 1; round <= 3; round++) {
        await store.appendToStream(`${category}-1`, events(round));
        const slice = await store.readAll({ filter, after });
        seen.push(...slice.events.map((each) => each.version));
        after = slice.position;
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('reads the newest event first when it reads backwards', async (store, category) => {
      const { position } = await store.appendToStream(`${category}-1`, events(3));
      const filter = { categories: [category] };
      const newest = await store.readAll({ filter, direction: 'backward', limit: 1 });
      const before = await store.readAll({ filter, direction: 'backward', after: position });

      expect(newest.events.map((each) => each.version)).toEqual([3]);
      expect(before.events.map((each) => each.version)).toEqual([2, 1]);
      expect(await store.readAll({ filter, direction: 'backward', after: before.position })).toMatchObject({
        events: [],
        isEnd: true,
      });
    });

    it('refuses a position ahead of the store', async (store, category) => {
      await store.appendToStream(`${category}-1`, [event()]);
      const position = Number.MAX_SAFE_INTEGER;
      const { storeId } = await store.readAll({ limit: 1 });

      expect(await errorOf(store.readAll({ after: position }))).toMatchObject({
        code: 'POSITION_AHEAD_OF_STORE',
        position,
        storeId,
      });
    });

    it('names the store in every slice', async (store, category) => {
      const { storeId } = await store.readAll({ limit: 1 });
      await store.appendToStream(`${category}-1`, [event()]);
      const again = await store.readAll({ filter: { categories: [category] } });

      expect(storeId.length > 0).toBe(true);
      expect(again.storeId).toBe(storeId);
    });

    for (const options of [
      { after: -1 },
      { after: '1' },
      { limit: 0 },
      { direction: 'down' },
      { filter: [] },
      { filter: null },
      { filter: { types: [] } },
      { filter: { types: 'Paid' } },
      { filter: { type: ['Paid'] } },
      { filter: { tags: [1] } },
      { filter: { correlationId: '' } },
      { filter: { occurredFrom: '2024-01-01' } },
      { position: 1 },
    ]) {
      it(`refuses the options ${JSON.stringify(options)}`, async (store) => {
        expect(await errorOf(store.readAll(options as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    }
  });

  describe('subscribe', () => {
    it('gets the events that are there and those that come, and ends when its signal aborts', async (store, category) => {
      const controller = new AbortController();
      const seen: number[] = [];
      await store.appendToStream(`${category}-1`, events(2));
      const filter = { categories: [category] };
      // A store whose reads are wrong is told so here, instead of waiting for what never comes.
      expect(versionsOf(await store.readAll({ filter }))).toEqual([1, 2]);
      const subscription = subscribe(store, {
        filter,
        signal: controller.signal,
        pollInterval: 20,
        limit: 2,
      });
      for await (const each of subscription) {
        seen.push(each.version);
        if (each.version === 2) await store.appendToStream(`${category}-1`, events(3));
        if (each.version === 5) controller.abort();
      }
      expect(seen).toEqual([1, 2, 3, 4, 5]);
    });

    it('passes on that its position is ahead of the store', async (store) => {
      const read = store.readAll({ after: Number.MAX_SAFE_INTEGER });
      expect(await errorOf(read)).toMatchObject({ code: 'POSITION_AHEAD_OF_STORE' });
      const next = subscribe(store, { after: Number.MAX_SAFE_INTEGER }).next();
      expect(await errorOf(next)).toMatchObject({ code: 'POSITION_AHEAD_OF_STORE' });
    });
  });
}
