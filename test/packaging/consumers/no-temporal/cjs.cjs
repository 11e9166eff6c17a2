const assert = require('node:assert/strict');
const { VersionConflictError } = require('temporal-event-store');
const { cachingEventStore } = require('temporal-event-store/cache');
const { MemoryEventStore } = require('temporal-event-store/memory');
const { fixedClock } = require('temporal-event-store/testing');

assert.throws(() => require('@temporalio/common'), { code: 'MODULE_NOT_FOUND' });
for (const [subpath, peer] of Object.entries({ postgres: 'pg', pglite: '@electric-sql/pglite' }))
  assert.throws(() => require(`temporal-event-store/${subpath}`), {
    code: 'MODULE_NOT_FOUND',
    message: new RegExp(`^Cannot find module '${peer}'`),
  });
console.log('without their peers ./postgres and ./pglite name the package that is missing, by require');

async function main() {
  const store = cachingEventStore(new MemoryEventStore({ clock: fixedClock() }));
  const opened = { type: 'Opened', data: {} };
  await store.appendToStream('Account-1', [opened], { expectedVersion: 'noStream' });
  await assert.rejects(
    store.appendToStream('Account-1', [opened], { expectedVersion: 'noStream' }),
    VersionConflictError,
  );
  console.log('".", ./memory, ./cache and ./testing work by require');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
