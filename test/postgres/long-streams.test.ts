import { randomBytes, randomUUID } from 'node:crypto';
import type { EventStore } from 'temporal-event-store';
import type { PGliteEventStore } from 'temporal-event-store/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPGliteStore } from '../support/pglite.js';
import { useEmptyStore } from '../support/postgres-store.js';

/** Large ones among them, of random text, which the database can't make small again. */
const stored = Array.from({ length: 200 }, (_, index) => ({
  type: 'Noted',
  data: {
    n: index + 1,
    ...((index + 1) % 70 === 0 && { text: randomBytes(30_000).toString('base64') }),
  },
  tags: ['a,b', 'c"d'],
}));

let embedded: PGliteEventStore;
beforeAll(async () => {
  embedded = await openPGliteStore();
});
afterAll(() => embedded.close());

describe.each<[string, () => Promise<EventStore>]>([
  ['on a server', async () => (await useEmptyStore()).store],
  ['embedded', () => Promise.resolve(embedded)],
])('%s', (_, storeOf) => {
  // More than what is read as one row, in every way that the borders of those can lie.
  it.each([
    [{}, 1, 200, true],
    [{ limit: 64 }, 1, 64, false],
    [{ limit: 65 }, 1, 65, false],
    [{ limit: 129 }, 1, 129, false],
    [{ limit: 200 }, 1, 200, true],
    [{ fromVersion: 7, toVersion: 150 }, 7, 150, true],
    [{ fromVersion: 7, toVersion: 150, limit: 100 }, 7, 106, false],
    [{ direction: 'backward' }, 200, 1, true],
    [{ direction: 'backward', limit: 65 }, 200, 136, false],
    [{ direction: 'backward', fromVersion: 150, toVersion: 7 }, 150, 7, true],
    [{ direction: 'backward', fromVersion: 150, toVersion: 7, limit: 100 }, 150, 51, false],
  ] as const)('reads %j of 200 events, large ones among them', async (options, first, last, isEnd) => {
    const store = await storeOf();
    const streamId = `Note-${randomUUID()}`;
    await store.appendToStream(streamId, stored);
    const slice = await store.readStream(streamId, options);
    const step = first < last ? 1 : -1;
    const versions = Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step);
    expect(slice).toMatchObject({ version: 200, isEnd });
    expect(slice.events.map(({ version, data, tags }) => ({ version, data, tags }))).toEqual(
      versions.map((version) => ({ version, data: stored[version - 1]?.data, tags: ['a,b', 'c"d'] })),
    );
  });

  // As many are asked for at once as fit if the next ones are as large as the first: here they aren't.
  it.each([
    ['forward', 20_000],
    ['forward', 300_000],
    ['forward', 4_000_000],
    ['backward', 300_000],
  ] as const)('reads %s events that grow, in pages of %i bytes', async (direction, maxBytes) => {
    const store = await storeOf();
    const streamId = `Grown-${randomUUID()}`;
    const text = (n: number): string => '€'.repeat(n < 150 ? 1 : n < 300 ? 300 : n % 2 === 0 ? 900 : 1);
    const grown = Array.from({ length: 400 }, (_, index) => ({ type: 'T', data: { text: text(index + 1) } }));
    await store.appendToStream(streamId, grown);
    const [first, step] = direction === 'forward' ? [1, 1] : [400, -1];
    const read: (readonly [version: number, data: unknown])[] = [];

    for (let isEnd = false; !isEnd;) {
      const fromVersion = first + read.length * step;
      const slice = await store.readStream(streamId, { direction, fromVersion, maxBytes, limit: 1_000 });
      const sizes = slice.events.map(({ data }) => Buffer.byteLength(JSON.stringify(data)));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxBytes);
      expect(slice.events).not.toEqual([]);
      for (const { version, data } of slice.events) read.push([version, data]);
      ({ isEnd } = slice);
    }
    const all = grown.map(({ data }, index) => [index + 1, data] as const);
    expect(read).toEqual(direction === 'forward' ? all : all.reverse());
  });
});
