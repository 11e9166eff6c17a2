// Without @types/pg: the declarations of ./postgres need none.
import assert from 'node:assert/strict';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import {
  grantScript,
  type PostgresEventStore,
  type PostgresEventStoreOptions,
} from 'temporal-event-store/postgres';

interface Opened {
  readonly type: 'Opened';
  readonly data: { readonly by: string };
}

export const options: PostgresEventStoreOptions = { connectionString: 'postgres://127.0.0.1/orders' };
export const asStore = (postgres: PostgresEventStore): EventStore & StoreCapabilities => postgres;

const store: EventStore & StoreCapabilities & AsyncDisposable = await PGliteEventStore.open({
  schema: 'orders',
});
await store.appendToStream<Opened>('Account-1', [{ type: 'Opened', data: { by: 'Zoë' } }]);
const [event] = (await store.readStream<Opened>('Account-1')).events;
assert.equal(event?.data.by, 'Zoë');
await store[Symbol.asyncDispose]();
assert.match(grantScript('orders', 'app'), /^grant usage on schema "orders" to "app";/);
console.log('./pglite and ./postgres compile without types of their drivers, and ./pglite runs');
