import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import 'temporal-event-store';
import 'temporal-event-store/memory';

const { _cache: loaded } = createRequire(import.meta.url)('node:module');
const isLoaded = (name) => Object.keys(loaded).some((file) => file.includes(`/node_modules/${name}/`));
assert.ok(!isLoaded('pg'));

const { StoreUnavailableError } = await import('temporal-event-store');
const { PostgresEventStore } = await import('temporal-event-store/postgres');
// It is CommonJS, so Node's cache of it tells.
assert.ok(isLoaded('pg'), 'that pg is loaded is to be seen');
console.log('"." and ./memory load no pg, and ./postgres does');

await assert.rejects(
  PostgresEventStore.connect({ connectionString: 'postgres://user@127.0.0.1:1/none', retryTimeout: 0 }),
  StoreUnavailableError,
);

const { PGliteEventStore } = await import('temporal-event-store/pglite');
const store = await PGliteEventStore.open();
const { version } = await store.appendToStream('Account-1', [{ type: 'Opened', data: { by: 'Zoë' } }]);
const { events } = await store.readStream('Account-1');
assert.deepEqual([version, events[0].data], [1, { by: 'Zoë' }]);
await store.close();
console.log('./pglite opens a store, appends and reads; ./postgres says that no server is there');
