import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { AggregateRoot, DomainError, findEventStoreError, InvalidArgumentError } from 'temporal-event-store';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { cachingEventStore } from 'temporal-event-store/cache';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { proxyEventStore } from 'temporal-event-store/workflow';

const require = createRequire(import.meta.url);
const mainExports = require('../main-exports.json');

const subpaths = Object.keys(require('temporal-event-store/package.json').exports).filter(
  (subpath) => subpath !== './package.json',
);
assert.deepEqual(
  Object.keys(mainExports).sort(),
  [...subpaths].sort(),
  'main-exports.json names each subpath',
);
for (const subpath of subpaths) {
  const name = `temporal-event-store${subpath.slice(1)}`;
  const imported = await import(name);
  for (const expected of mainExports[subpath])
    assert.equal(typeof imported[expected], 'function', `${name} exports ${expected}`);
  assert.deepEqual(
    Object.keys(imported).sort(),
    Object.keys(require(name)).sort(),
    `${name} in both formats`,
  );
}
console.log(`${subpaths.length} subpaths import, with the same names as by require`);

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
for (const [subpath, mistake] of Object.entries(mistakes))
  assert.ok(
    (await errorOf(mistake)) instanceof InvalidArgumentError,
    `./${subpath} throws the classes of "."`,
  );
class Account extends AggregateRoot {
  static category = 'Account';
  withdraw() {
    throw new DomainError('It is empty');
  }
  apply() {}
}
await given(Account, [])
  .when((account) => account.withdraw())
  .then(DomainError);
console.log('a class is one class, whichever subpath it comes through');

const required = { ...require('temporal-event-store'), ...require('temporal-event-store/memory') };
const conflictingAppend = (Store) => () =>
  new Store().appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectedVersion: 7 });
for (const [error, find] of [
  [await errorOf(conflictingAppend(MemoryEventStore)), required.findEventStoreError],
  [await errorOf(conflictingAppend(required.MemoryEventStore)), findEventStoreError],
])
  assert.equal(find(error, 'VERSION_CONFLICT'), error);
console.log('the ESM and the CJS copy recognise the errors of each other');
