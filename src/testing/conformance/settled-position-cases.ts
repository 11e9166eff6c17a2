import type { AllSlice, AppendCondition } from '../../core/store/event-store.js';
import { besideOf, endOf, readOn, settledOf, tagged, ways } from './conditional-appends.js';
import { currentVersions, errorOf, event, events, type StoreUnderTest, type Suite } from './suite.js';

export function describeSettledPositions({ describe, it, expect }: Suite): void {
  describe('settled positions', () => {
    it('are the position of a forward read that has reached its end', async (store, category) => {
      const filter = { categories: [category] };
      await store.appendToStream(`${category}-1`, events(2));
      const { position: middle } = await store.readAll({ filter, limit: 1 });
      const slices = [
        await store.readAll({ filter: { categories: [`${category}x`] } }),
        await store.readAll({ filter }),
        await store.readAll({ filter, limit: 2 }),
        await store.readAll({ filter, after: middle }),
      ];
      expect(slices.map(({ isEnd, events: found }) => [isEnd, found.length])).toEqual([
        [true, 0],
        [true, 2],
        [true, 2],
        [true, 1],
      ]);
      for (const { settled, position, storeId } of slices) expect(settled).toEqual({ position, storeId });
    });

    it('are absent where a page is not the last', async (store, category) => {
      const filter = { categories: [category] };
      await store.appendToStream(`${category}-1`, events(2));
      for (const options of [{ limit: 1 }, { maxBytes: 1 }]) {
        const slice = await store.readAll({ filter, ...options });
        expect([slice.isEnd, slice.events.length, slice.settled]).toEqual([false, 1, undefined]);
      }
    });

    it('are absent in a backward read, also at its end', async (store, category) => {
      const filter = { categories: [category] };
      await store.appendToStream(`${category}-1`, events(2));
      for (const limit of [1, 2, 3]) {
        const slice = await store.readAll({ filter, direction: 'backward', limit });
        expect([slice.isEnd, slice.settled]).toEqual([limit > 1, undefined]);
      }
    });

    it('pass each append as soon as it has answered, also one that the filter leaves out', async (store, category) => {
      const filter = { categories: [category] };
      let after = await endOf(store, category);
      for (const streamId of [`${category}-1`, `${category}x-1`, `${category}-1`]) {
        const { position } = await store.appendToStream(streamId, [event()]);
        const { last } = await readOn(store, filter, after);
        expect(settledOf(last).position >= position).toBe(true);
        expect(settledOf(last).position > settledOf(after).position).toBe(true);
        after = last;
      }
    });

    const settled: readonly (readonly [
      what: string,
      afterOf: (slice: AllSlice) => AppendCondition['after'],
    ])[] = [
      ['a slice', (slice) => slice],
      ['the settled position of a slice', settledOf],
      ['a slice that went through JSON', throughJson],
      ['a settled position that went through JSON', (slice) => throughJson(settledOf(slice))],
    ];
    for (const [what, afterOf] of settled) {
      it(`let a condition build on ${what}`, async (store, category) => {
        const filter = { tags: [`${category}/a`] };
        await store.appendToStream(`${category}-1`, [tagged(...filter.tags)]);
        const { last } = await readOn(store, filter);
        const condition = { filter, after: afterOf(last) };
        const { position } = await store.appendToStream(`${category}-2`, [tagged(...filter.tags)], {
          condition,
        });
        expect(await errorOf(store.appendToStream(`${category}-3`, [event()], { condition }))).toMatchObject({
          code: 'APPEND_CONDITION_FAILED',
          after: settledOf(last).position,
          conflict: { position },
        });
      });
    }

    it('let a condition build on a read without a filter', async (store, category) => {
      const filter = { tags: [`${category}/a`] };
      await store.appendToStream(`${category}-1`, [tagged(...filter.tags)]);
      let slice = await endOf(store, category);
      do slice = await store.readAll({ after: slice.position });
      while (!slice.isEnd);
      const condition = { filter, after: slice };
      await store.appendToStream(`${category}-2`, [tagged(...filter.tags)], { condition });
      const again = store.appendToStream(`${category}-3`, [event()], { condition });
      expect(await errorOf(again)).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });
    });

    const unsettled: readonly (readonly [
      what: string,
      afterOf: (store: StoreUnderTest, category: string) => Promise<unknown>,
    ])[] = [
      ['a page that is not the last', (store, c) => store.readAll({ filter: { categories: [c] }, limit: 1 })],
      [
        'a backward read',
        (store, c) => store.readAll({ filter: { categories: [c] }, direction: 'backward', limit: 1 }),
      ],
      [
        'a backward read at its end',
        (store, c) => store.readAll({ filter: { categories: [c] }, direction: 'backward' }),
      ],
      ['a read of a stream', (store, c) => store.readStream(`${c}-1`)],
      ['an event', async (store, c) => (await store.readStream(`${c}-1`)).events[1]],
      ['the result of an append', (store, c) => store.findCommit(`${c}-1`, 'c')],
      ['a number', async (store, c) => (await endOf(store, c)).position],
      ['no position', async () => null],
      ['one without a store', async (store, c) => ({ position: (await endOf(store, c)).position })],
      ['a store without one', async (store, c) => ({ storeId: (await endOf(store, c)).storeId })],
      ['a negative one', async (store, c) => ({ ...settledOf(await endOf(store, c)), position: -1 })],
      ['one between two', async (store, c) => ({ ...settledOf(await endOf(store, c)), position: 0.5 })],
      ['an empty store id', async (store, c) => ({ ...settledOf(await endOf(store, c)), storeId: '' })],
    ];
    for (const [what, afterOf] of unsettled) {
      it(`are not those of ${what}`, async (store, category) => {
        const target = `${category}target-1`;
        await store.appendToStream(`${category}-1`, events(2), { commitId: 'c' });
        const after = (await afterOf(store, category)) as AllSlice;
        for (const { append } of ways) {
          const condition = { filter: { tags: [`${category}/a`] }, after };
          expect(await errorOf(append(store, target, [event()], { condition }))).toMatchObject({
            code: 'INVALID_ARGUMENT',
          });
        }
        expect(await currentVersions(store, [target, besideOf(target)])).toEqual([0, 0]);
      });
    }

    for (const [what, change] of [
      ['beyond the end of the store', { position: Number.MAX_SAFE_INTEGER }],
      ['of another store', { storeId: 'another' }],
      ['of another store, at its start', { storeId: 'another', position: 0 }],
    ] as const) {
      it(`are refused ${what}, also where nothing is in the way`, async (store, category) => {
        const target = `${category}target-1`;
        const here = settledOf(await endOf(store, category));
        const after = { ...here, ...change };
        for (const { append } of ways) {
          const condition = { filter: { tags: [`${category}/a`] }, after };
          expect(await errorOf(append(store, target, [event()], { condition }))).toMatchObject({
            code: 'POSITION_AHEAD_OF_STORE',
            position: after.position,
            storeId: here.storeId,
          });
        }
        expect(await currentVersions(store, [target, besideOf(target)])).toEqual([0, 0]);
      });
    }
  });
}

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
