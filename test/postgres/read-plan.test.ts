import pg from 'pg';
import { iterateAll, type RecordedEvent } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase, query } from '../support/postgres.js';

/**
 * A store of 300 events whose positions begin late, without a pooler in between, and how often the statements of its one
 * connection were planned.
 */
async function largeStore() {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.directUrl, max: 1 });
  onTestFinished(() => pool.end());
  const store = await PostgresEventStore.connect({ pool });
  onTestFinished(() => store.close());
  await store.migrate();
  await query(database.directUrl, `select setval('event_store.positions', 200000)`);
  const events = Array.from({ length: 100 }, (_, index) => ({ type: 'Counted', data: { index } }));
  for (const streamId of ['Large-1', 'Large-2', 'Large-3']) await store.appendToStream(streamId, events);
  return {
    store,
    async plansOf(text: string) {
      const { rows } = await pool.query<{ custom_plans: number; generic_plans: number }>(
        'select custom_plans::int, generic_plans::int from pg_prepared_statements where statement like $1',
        [`%${text}%`],
      );
      return rows;
    },
  };
}

test('a page of a large store is planned a few times only', async () => {
  const { store, plansOf } = await largeStore();
  for (let read = 0; read < 30; read++) await store.readAll({ after: 200_000 + read * 10, limit: 7 });

  expect(await plansOf('limit 7)')).toEqual([{ custom_plans: 5, generic_plans: 25 }]);
});

test('the rest of a long stream is planned a few times only', async () => {
  const { store, plansOf } = await largeStore();
  for (let read = 0; read < 30; read++) await store.readStream('Large-1');

  expect(await plansOf('generate_series')).toEqual([{ custom_plans: 5, generic_plans: 25 }]);
});

test('a large store is read in pages of any size, more of them than are kept prepared', async () => {
  const { store, plansOf } = await largeStore();
  const expected = Array.from({ length: 300 }, (_, index) => 200_001 + index);
  for (let limit = 1; limit <= 40; limit += 2) {
    const positions: number[] = [];
    for await (const { position } of iterateAll<RecordedEvent>(store, { limit })) positions.push(position);
    expect(positions).toEqual(expected);
  }
  expect((await plansOf('where position > (select')).length).toBeLessThanOrEqual(16);
});
