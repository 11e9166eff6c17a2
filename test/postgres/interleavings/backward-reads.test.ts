import { expect, test } from 'vitest';
import { openAppend } from '../../support/open-append.js';
import { useEmptyStore } from '../../support/postgres-store.js';
import { query } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

/** Positions 1 to 6, of which 3 and 6 are not committed. */
async function sixPositions() {
  const { store, database } = await useEmptyStore();
  const { directUrl } = database;
  await store.appendToStream('Fast-1', [...happened, ...happened]);
  const third = await openAppend(store, directUrl, 'Slow-3');
  await store.appendToStream('Fast-1', [...happened, ...happened]);
  const sixth = await openAppend(store, directUrl, 'Slow-6');
  return { store, directUrl, third, sixth };
}

test.each([
  ['everything', {}],
  ['with a filter', { filter: { types: ['Happened'] } }],
])('a reader who goes back, %s, waits for nobody and sees each event once', async (_, options) => {
  const { store, third, sixth } = await sixPositions();
  const pageAfter = async (after?: number) => {
    const page = await store.readAll({
      ...options,
      direction: 'backward',
      limit: 2,
      ...(after !== undefined && { after }),
    });
    return { ...page, positions: page.events.map((event) => event.position) };
  };

  const newest = await pageAfter();
  expect(newest.positions).toEqual([5, 4]);
  // The one that it has passed is none of its own; it meets the one before it.
  await sixth.commit();
  await third.commit();
  const next = await pageAfter(newest.position);
  expect(next.positions).toEqual([3, 2]);
  const last = await pageAfter(next.position);

  expect(last).toMatchObject({ positions: [1], isEnd: true });
});

test('a reader that counts the events it has seen gets some again', async () => {
  const { directUrl, sixth } = await sixPositions();
  const pageFrom = async (offset: number) => {
    const rows = await query<{ position: string }>(
      directUrl,
      'select position from event_store.events order by position desc limit 2 offset $1',
      [offset],
    );
    return rows.map(({ position }) => Number(position));
  };

  const newest = await pageFrom(0);
  await sixth.commit();

  expect([newest, await pageFrom(2)]).toEqual([
    [5, 4],
    [4, 2],
  ]);
});
