import { PostgresEventStore } from 'temporal-event-store/postgres';
import { isEventStoreError } from 'temporal-event-store';
import { race } from './racers.js';

// One of several processes that race until they are told to end. Errors of a killed server are expected.

const url = process.env['STORE_URL'] as string;
const store = await PostgresEventStore.connect({ connectionString: url, retryTimeout: 60_000 });
let isEnding = false;
process.on('message', () => (isEnding = true));
const outcomes = await race({
  stores: [store],
  url,
  racers: 12,
  things: Number(process.env['THINGS']),
  goesOn: () => !isEnding,
  onError: (error) => {
    const isOfServer =
      isEventStoreError(error, 'STORE_UNAVAILABLE') ||
      !/^(Type|Range|Reference|InvalidArgument)Error/.test(String((error as Error).name));
    if (!isOfServer) throw error;
  },
});
await store.close();
process.send?.(outcomes, () => process.exit());
