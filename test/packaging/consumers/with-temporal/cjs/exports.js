const assert = require('node:assert/strict');
const {
  AggregateRoot,
  DomainError,
  InvalidArgumentError,
  isEventStoreError,
} = require('temporal-event-store');
const { createEventStoreActivities } = require('temporal-event-store/activities');
const { cachingEventStore } = require('temporal-event-store/cache');
const { TemporalEventStore } = require('temporal-event-store/client');
const { MemoryEventStore } = require('temporal-event-store/memory');
const { given } = require('temporal-event-store/testing');
const { EventStorePlugin } = require('temporal-event-store/worker');
const { proxyEventStore } = require('temporal-event-store/workflow');
const mainExports = require('../main-exports.json');

for (const [subpath, names] of Object.entries(mainExports)) {
  const name = `temporal-event-store${subpath.slice(1)}`;
  for (const expected of names)
    assert.equal(typeof require(name)[expected], 'function', `${name} exports ${expected}`);
}
console.log(`${Object.keys(mainExports).length} subpaths load by require`);

async function errorOf(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

const mistakes = {
  memory: () => new MemoryEventStore().readStream(''),
  cache: () => cachingEventStore(new MemoryEventStore(), { unknown: true }),
  workflow: () => proxyEventStore().readStream(''),
  activities: () => createEventStoreActivities({}),
  client: () => new TemporalEventStore({}),
  worker: () => new EventStorePlugin({}),
};

class Account extends AggregateRoot {
  static category = 'Account';
  withdraw() {
    throw new DomainError('It is empty');
  }
  apply() {}
}

async function main() {
  for (const [subpath, mistake] of Object.entries(mistakes))
    assert.ok(
      (await errorOf(mistake)) instanceof InvalidArgumentError,
      `./${subpath} throws the classes of "."`,
    );
  await given(Account, [])
    .when((account) => account.withdraw())
    .then(DomainError);
  console.log('a class is one class, whichever subpath it comes through');

  const imported = await import('temporal-event-store');
  assert.ok(isEventStoreError(new imported.DomainError('No'), 'DOMAIN_ERROR'));
  assert.ok(imported.isEventStoreError(new DomainError('No'), 'DOMAIN_ERROR'));
  console.log('a CommonJS program that imports the ESM copy too recognises the errors of both');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
