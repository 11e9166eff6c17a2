import { iterateAll, iterateStream, subscribe } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { PostgresEventStore } from 'temporal-event-store/postgres';

// Reads large events in every way, with the page that is asked for, and tells how many each way had.
const { STORE_URL = '', READ_OPTIONS = '{}' } = process.env;
const store = await PostgresEventStore.connect({ connectionString: STORE_URL });
const options = JSON.parse(READ_OPTIONS) as { readonly maxBytes?: number };
const { version } = await store.readStream('Big-1', { limit: 1 });
const filter = { categories: ['Big'] };

/** Somebody who keeps these, as read models do, keeps no more of the events. */
const kept: string[] = [];
const counts: Record<string, number> = {};
for (const [way, events] of Object.entries({
  all: iterateAll(store, options),
  filtered: iterateAll(store, { ...options, filter }),
  backward: iterateAll(store, { ...options, direction: 'backward' }),
  stream: iterateStream(store, 'Big-1', options),
  cached: iterateStream(cachingEventStore(store, { maxBytes: 4_000_000 }), 'Big-1', options),
  subscribed: subscribe(store, options),
})) {
  counts[way] = 0;
  for await (const { id, streamId } of events) {
    kept.push(id, streamId);
    if (++counts[way] === version) break;
  }
}
await store.close();
process.stdout.write(JSON.stringify(counts));
