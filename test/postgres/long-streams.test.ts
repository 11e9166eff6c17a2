import { expect, it } from 'vitest';
import { usePostgresStore } from '../support/postgres-store.js';

const large = 'x'.repeat(40_000);

/** Event 1 has the version 1, and so on; those at 70 and 140 are large. */
function longStream(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    type: 'Noted',
    // Random, so that the database can't make it small again.
    data: {
      n: index + 1,
      ...((index + 1) % 70 === 0 && {
        text: large.replaceAll('x', () => String.fromCharCode(33 + Math.random() * 90)),
      }),
    },
    tags: ['a,b', 'c"d'],
  }));
}

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
  const { store } = await usePostgresStore();
  const stored = longStream(200);
  await store.appendToStream('Note-1', stored);
  const slice = await store.readStream('Note-1', options);
  const step = first < last ? 1 : -1;
  const versions = Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step);
  expect(slice).toMatchObject({ version: 200, isEnd });
  expect(slice.events.map(({ version, data, tags }) => ({ version, data, tags }))).toEqual(
    versions.map((version) => ({ version, data: stored[version - 1]?.data, tags: ['a,b', 'c"d'] })),
  );
});
