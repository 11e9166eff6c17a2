import { iterateAll } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';

// Reads all events, one after the other or into a list, and tells how many there were and what the heap held at most.
const { STORE_URL = '', HOW } = process.env;
const store = await PostgresEventStore.connect({ connectionString: STORE_URL });
const kept: unknown[] = [];
let [count, mostHeap] = [0, 0];
for await (const event of iterateAll(store, { limit: 1_000 })) {
  count++;
  if (event.position !== count) throw new Error(`Event ${count} is at position ${event.position}`);
  if (HOW === 'collect') kept.push(event);
  if (count % 10_000 === 0) mostHeap = Math.max(mostHeap, process.memoryUsage().heapUsed);
}
await store.close();
process.stdout.write(JSON.stringify({ count, mostHeap }));
