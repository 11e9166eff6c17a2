import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { iterateAll, subscribe } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { openChannel } from './channel.js';
import { readOn } from './reader.js';

// Readers that are unlike the subscriptions of the writers' processes, with connections of their own.
const { FOLDER = '', STORE_URL = '' } = process.env;
const { reportUnexpected } = openChannel();
const store = await PostgresEventStore.connect({ connectionString: STORE_URL, notifications: false });

const readers = {
  'page by page': (after: number) => iterateAll(store, { after, limit: 50 }),
  'one category': (after: number) => subscribe(store, { after, filter: { categories: ['Hot'] } }),
  'a new store at each look': async function* (after: number) {
    await sleep(300);
    await using fresh = await PostgresEventStore.connect({ connectionString: STORE_URL });
    yield* iterateAll(fresh, { after });
  },
};
await Promise.all(
  Object.entries(readers).map(([name, read]) =>
    readOn({
      file: join(FOLDER, `${name}.reader`),
      read,
      onUnexpected: reportUnexpected,
    }),
  ),
);
await store.close();
process.disconnect();
