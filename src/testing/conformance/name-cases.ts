import type { EventFilter } from '../../core/store/event-store.js';
import { event, having, type Suite } from './suite.js';

/** Pairs of names that a database may take for one: by its collation, its patterns, its padding or its longest key. */
const alike: readonly (readonly [difference: string, one: string, other: string])[] = [
  ['case', 'order', 'Order'],
  ['Unicode form', 'caf\u00e9', 'cafe\u0301'],
  ['an accent', 'resume', 'résumé'],
  ['a space at the end', 'space', 'space '],
  ['the width of a letter', 'wide', 'ｗide'],
  ['a ligature', 'strasse', 'straße'],
  ['a character that is not seen', 'hidden', 'hid\u200bden'],
  ['a wildcard', 'a_%', 'abcd'],
  ['their 900th character', `${'x'.repeat(899)}1`, `${'x'.repeat(899)}2`],
];

const names = alike.flatMap(([, one, other]) => [one, other]);

/** The names of each side: whoever asks for those of one must get none of the other. */
const sides = [alike.map(([, one]) => one), alike.map(([, , other]) => other)] as const;

export function describeNames({ describe, it, expect }: Suite): void {
  describe('names are compared exactly', () => {
    for (const [difference, one, other] of alike) {
      it(`tells stream ids apart that differ in ${difference}`, async (store, category) => {
        const streamIds = [`${category}-${one}`, `${category}-${other}`] as const;
        const options = { commitId: 'c', expectedVersion: 'noStream' } as const;
        await store.appendToStream(streamIds[0], [event('One')], options);
        const [empty, commit] = await Promise.all([
          store.readStream(streamIds[1]),
          store.findCommit(streamIds[1], 'c'),
        ]);
        expect(empty).toMatchObject({ streamId: streamIds[1], version: 0, events: [] });
        expect(commit).toBe(undefined);
        await store.appendToStream(streamIds[1], [event('Other')], options);

        const slices = await Promise.all(streamIds.map((streamId) => store.readStream(streamId)));
        expect(slices.map(({ streamId, version }) => [streamId, version])).toEqual([
          [streamIds[0], 1],
          [streamIds[1], 1],
        ]);
        expect(slices.map(({ events }) => events.map(({ streamId, type }) => [streamId, type]))).toEqual([
          [[streamIds[0], 'One']],
          [[streamIds[1], 'Other']],
        ]);
      });

      it(`tells commit ids apart that differ in ${difference}`, async (store, category) => {
        const streamId = `${category}-1`;
        await store.appendToStream(streamId, [event()], { commitId: one });
        expect(await store.findCommit(streamId, other)).toBe(undefined);
        const second = await store.appendToStream(streamId, [event()], { commitId: other });

        expect(second).toMatchObject({ commitId: other, version: 2, deduplicated: false });
        const [first, again, { events }] = await Promise.all([
          store.findCommit(streamId, one),
          store.findCommit(streamId, other),
          store.readStream(streamId),
        ]);
        expect(first).toMatchObject({ commitId: one, version: 1 });
        expect(again).toMatchObject({ commitId: other, version: 2 });
        expect(events.map(({ commitId }) => commitId)).toEqual([one, other]);
      });
    }

    for (const [what, filterOf] of [
      ['types', (name) => ({ types: [name] })],
      ['tags', (name) => ({ tags: [name] })],
      ['correlation ids', (name) => ({ correlationId: name })],
    ] as readonly (readonly [string, (name: string) => EventFilter])[]) {
      it(`filters by ${what} that are nearly alike, and keeps each as it is`, async (store, category) => {
        await store.appendToStream(
          `${category}-1`,
          names.map((name) => ({ ...event(name), tags: [name], metadata: { correlationId: name } })),
        );
        for (const side of sides) {
          const filter = side.map((name) => ({ categories: [category], ...filterOf(name) }));
          const { events } = await store.readAll({ filter });
          expect(
            events.map(({ type, tags, metadata }) => ({ type, tags, correlationId: metadata.correlationId })),
          ).toEqual(side.map((name) => ({ type: name, tags: [name], correlationId: name })));
        }
      });
    }

    it('filters by categories that are nearly alike', async (store, category) => {
      await Promise.all(names.map((name) => store.appendToStream(`${category}${name}-1`, [event()])));
      for (const side of sides) {
        const { events } = await store.readAll({
          filter: { categories: side.map((name) => `${category}${name}`) },
        });
        expect(events.map(({ streamId }) => streamId).sort()).toEqual(
          side.map((name) => `${category}${name}-1`).sort(),
        );
      }
    });

    it('filters by the part of a stream id before its first dash', async (store, category) => {
      const streamIds = [category, `${category}-`, `${category}-a-b`, `${category}-a`, `${category}a-b`];
      await Promise.all(streamIds.map((streamId) => store.appendToStream(streamId, [event()])));
      const { events } = await store.readAll({ filter: { categories: [category] } });
      expect(events.map(({ streamId }) => streamId).sort()).toEqual(streamIds.slice(0, 4).sort());
    });
  });
}

export function describeNamesOfSnapshots({ describe, it, expect }: Suite): void {
  describe('names of snapshots are compared exactly', () => {
    for (const [what, placeOf] of [
      ['streams', (category, name) => [`${category}-${name}`, { name: 'Account', version: 1 }]],
      ['models', (category, name) => [`${category}-1`, { name, version: 1 }]],
    ] as readonly (readonly [
      string,
      (category: string, name: string) => readonly [string, { name: string; version: number }],
    ])[]) {
      it(`keeps a snapshot of each of the ${what} that are named nearly alike`, async (store, category) => {
        const snapshots = having(store, 'snapshots');
        const places = names.map((name) => placeOf(category, name));
        await Promise.all(places.map((place, index) => snapshots.save(...place, 1, { index })));
        expect(await Promise.all(places.map((place) => snapshots.load(...place)))).toEqual(
          places.map((_, index) => ({ version: 1, state: { index } })),
        );
        await snapshots.delete(...placeOf(category, names[0] as string));
        const left = await Promise.all(places.map((place) => snapshots.load(...place)));
        expect(left.filter((snapshot) => snapshot !== undefined).length).toBe(names.length - 1);
      });
    }
  });
}

export function describeNamesOfCheckpoints({ describe, it, expect }: Suite): void {
  describe('names of checkpoints are compared exactly', () => {
    it('keeps a checkpoint of each of the names that are nearly alike', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      const all = names.map((name) => `${category}${name}`);
      await Promise.all(all.map((name, position) => checkpoints.save(name, { position, storeId: 's' })));
      expect(await Promise.all(all.map((name) => checkpoints.load(name)))).toEqual(
        all.map((_, position) => ({ position, storeId: 's' })),
      );
    });

    it('tells ids of stores apart that are nearly alike', async (store, category) => {
      const checkpoints = having(store, 'checkpoints');
      for (const storeId of names) {
        await checkpoints.save(category, { position: 5, storeId });
        await checkpoints.save(category, { position: 3, storeId: `${storeId}x` });
        expect(await checkpoints.load(category)).toEqual({ position: 3, storeId: `${storeId}x` });
      }
    });
  });
}

export function describeNamesInStatistics({ describe, it, expect }: Suite): void {
  describe('names in statistics are compared exactly', () => {
    const counted = [...names, '__proto__', 'constructor', 'toString'];

    it('counts types that are nearly alike, or named like what every object has', async (store, category) => {
      await store.appendToStream(
        `${category}-1`,
        counted.map((name) => event(name)),
      );
      const { byType, total } = await having(store, 'statistics')({ filter: { categories: [category] } });
      expect(total).toBe(counted.length);
      // As entries: a literal of an object can't have all these keys.
      expect(Object.entries(byType).sort()).toEqual(counted.map((name) => [name, 1] as const).sort());
    });

    it('counts categories and streams that are nearly alike', async (store, category) => {
      const categories = names.map((name) => `${category}${name}`);
      await Promise.all(categories.map((name) => store.appendToStream(`${name}-1`, [event()])));
      const { byCategory, streams } = await having(store, 'statistics')({ filter: { categories } });
      expect(streams).toBe(categories.length);
      expect(Object.entries(byCategory).sort()).toEqual(categories.map((name) => [name, 1] as const).sort());
    });
  });
}
