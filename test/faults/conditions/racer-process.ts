import { isEventStoreError } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
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
    // An open transaction is lost with its server, by the driver's own errors.
    const isOfRacer = /^(Type|Range|Reference|InvalidArgument)Error$/.test((error as Error).name);
    if (isOfRacer && !isEventStoreError(error, 'STORE_UNAVAILABLE')) throw error;
  },
});
await store.close();
process.send?.(outcomes, () => process.exit());
