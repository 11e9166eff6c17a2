import type { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, it } from 'vitest';
import { usePostgresStore } from '../support/postgres-store.js';
import { query } from '../support/postgres.js';

/** Appends at the same time, as many as one batch takes. */
async function appendBatches(
  store: PostgresEventStore,
  batches: number,
  eventsOf: (batch: number) => number,
) {
  for (let batch = 0; batch < batches; batch++) {
    const events = Array.from({ length: eventsOf(batch) }, () => ({ type: 'Opened', data: {} }));
    await Promise.all(
      // With a commit id, since it is the commit that is looked for.
      Array.from({ length: 16 }, (_, index) =>
        store.appendToStream(`Account-${batch * 16 + index}`, events, { commitId: 'opened' }),
      ),
    );
  }
}

// PL/pgSQL plans its statements at their first executions, when a new store is empty, and keeps the plan until the table
// is analysed: on a server that may take a minute, and embedded it never happens.
it.each([
  ['one event each', () => 1],
  ['few events each', () => 4],
  ['many events each', () => 30],
  ['ever more events', (batch: number) => 1 + batch],
])('a store that was empty grows without reading all its events at each append: %s', async (_, eventsOf) => {
  const { store, database } = await usePostgresStore();
  await appendBatches(store, 40, eventsOf);
  // A connection tells what it has read when it ends.
  await store.close();
  const counted = () =>
    query(
      database.directUrl,
      "select seq_tup_read::int as read, n_tup_ins::int as inserted from pg_stat_user_tables where relname = 'events'",
    );
  const inserted = Array.from({ length: 40 }, (_each, batch) => 16 * eventsOf(batch)).reduce((a, b) => a + b);
  await expect.poll(counted, { timeout: 10_000 }).toEqual([{ read: 0, inserted }]);
});
