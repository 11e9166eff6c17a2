import { Client } from 'pg';
import {
  AppendConditionFailedError,
  type AllSlice,
  type EventFilter,
  type EventToAppend,
} from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../support/postgres.js';
import { lastSliceOf } from '../../support/tagged.js';

// The search walks along the positions near the end, once for all filters with tags; further behind it uses the indexes, each
// for its kind of filter.

const count = 6_000;
let store: PostgresEventStore;
/** For appends that are rolled back. */
let client: Client;
/** The slice after so many events. */
const slices = new Map<number, AllSlice>();

beforeAll(async () => {
  const { url } = await createDatabase();
  store = await PostgresEventStore.connect({ connectionString: url });
  client = new Client(url);
  await Promise.all([store.migrate(), client.connect()]);
  for (let number = 0; number < count; number += 500) {
    slices.set(number, await lastSliceOf(store));
    const events = Array.from({ length: 500 }, (_, index) => eventOf(number + index + 1));
    await store.appendToStream(number % 1_000 === 0 ? 'Even-1' : 'Odd-1', events);
  }
  slices.set(count, await lastSliceOf(store));
});
afterAll(async () => {
  await client.end();
  await store.close();
});

/** What stands at a position. */
function eventOf(position: number): EventToAppend {
  return {
    type: position % 3 === 0 ? 'Third' : 'Other',
    data: {},
    tags: [
      'all',
      ...(position % 2 === 0 ? ['half'] : []),
      ...(position === 2_600 ? ['rare'] : []),
      ...(position === 5_900 ? ['late'] : []),
    ],
    ...(position % 2_000 === 0 && { metadata: { correlationId: `c${position}` } }),
  };
}

const filters: readonly (readonly [name: string, filter: EventFilter | readonly EventFilter[]])[] = [
  ['everything', {}],
  ['a type', { types: ['Third'] }],
  ['types of which one is never there', { types: ['Never', 'Third'] }],
  ['a type that is never there', { types: ['Never'] }],
  ['a category', { categories: ['Odd'] }],
  ['a category that is never there', { categories: ['Never'] }],
  ['a tag of all', { tags: ['all'] }],
  ['a tag of half', { tags: ['half'] }],
  ['two tags', { tags: ['all', 'half'] }],
  ['a rare tag', { tags: ['rare'] }],
  ['a late tag', { tags: ['late'] }],
  ['a tag that is never there', { tags: ['never'] }],
  ['tags that are never together', { tags: ['rare', 'late'] }],
  ['a rare tag on a type that it is not on', { tags: ['rare'], types: ['Third'] }],
  ['a common tag and a type', { tags: ['half'], types: ['Third'] }],
  ['a common tag and a category', { tags: ['half'], categories: ['Odd'] }],
  ['a common tag and a type that is never there', { tags: ['all'], types: ['Never'] }],
  ['a correlation id', { correlationId: 'c4000' }],
  ['a correlation id and a tag that it is not with', { correlationId: 'c4000', tags: ['rare'] }],
  ['any of several', [{ tags: ['never'] }, { types: ['Never'] }, { correlationId: 'c6000' }]],
];

describe.each(filters)('a condition on %s', (_name, filter) => {
  test('finds what a read finds, however far behind it is, alone and beside another', async () => {
    const ways = [filter, [...[filter].flat(), { types: ['Never'], tags: ['all'] }]];
    for (const [[position, after], way] of [...slices].flatMap((slice) =>
      ways.map((way) => [slice, way] as const),
    )) {
      const conflict = await conflictOf(way, after);
      const { events } = await store.readAll({ after: position, filter, limit: 1 });
      const behind = count - position;
      expect({ behind, isRefused: conflict !== undefined }).toEqual({ behind, isRefused: events.length > 0 });
      if (conflict === undefined) continue;
      expect(conflict).toBeGreaterThan(position);
      const read = await store.readAll({ after: conflict - 1, filter, limit: 1 });
      expect(read.events[0]?.position).toBe(conflict);
    }
  });
});

/** The position of the event in the way of an append, which is rolled back. */
async function conflictOf(
  filter: EventFilter | readonly EventFilter[],
  after: AllSlice,
): Promise<number | undefined> {
  await client.query('begin');
  const append = store
    .inTransaction(client)
    .appendToStream('Target-1', [eventOf(1)], { condition: { filter, after } });
  const error: unknown = await append.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await client.query('rollback');
  if (error === undefined) return undefined;
  expect(error).toBeInstanceOf(AppendConditionFailedError);
  return (error as AppendConditionFailedError).conflict.position;
}
