const assert = require('node:assert/strict');
const { StoreUnavailableError } = require('temporal-event-store');
require('temporal-event-store/memory');

const isLoaded = (name) => Object.keys(require.cache).some((file) => file.includes(`/node_modules/${name}/`));
assert.ok(!isLoaded('pg') && !isLoaded('@electric-sql/pglite'));
const { PostgresEventStore } = require('temporal-event-store/postgres');
assert.ok(isLoaded('pg') && !isLoaded('@electric-sql/pglite'));
const { PGliteEventStore } = require('temporal-event-store/pglite');
assert.ok(isLoaded('@electric-sql/pglite'));
console.log('each of ./postgres and ./pglite loads its own driver, "." and ./memory neither');

async function main() {
  await assert.rejects(
    PostgresEventStore.connect({ connectionString: 'postgres://user@127.0.0.1:1/none', retryTimeout: 0 }),
    StoreUnavailableError,
  );
  const store = await PGliteEventStore.open();
  const { version } = await store.appendToStream('Account-1', [{ type: 'Opened', data: { by: 'Zoë' } }]);
  const { events } = await store.readStream('Account-1');
  assert.deepEqual([version, events[0].data], [1, { by: 'Zoë' }]);
  await store.close();
  console.log('./pglite opens a store, appends and reads; ./postgres says that no server is there');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
