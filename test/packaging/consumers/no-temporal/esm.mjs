import assert from 'node:assert/strict';
import { AggregateRoot, VersionConflictError, DomainError } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore, fixedClock, given } from 'temporal-event-store/testing';

await assert.rejects(import('@temporalio/common'), { code: 'ERR_MODULE_NOT_FOUND' });
for (const [subpath, peer] of Object.entries({ postgres: 'pg', pglite: '@electric-sql/pglite' }))
  await assert.rejects(import(`temporal-event-store/${subpath}`), {
    code: 'ERR_MODULE_NOT_FOUND',
    message: new RegExp(`^Cannot find package '${peer}'`),
  });
console.log('without their peers ./postgres and ./pglite name the package that is missing, by import');

const store = cachingEventStore(new MemoryEventStore({ clock: fixedClock() }));
const opened = { type: 'Opened', data: { by: 'Zoë' } };
await store.appendToStream('Account-1', [opened], { expectedVersion: 'noStream' });
const { events } = await store.readStream('Account-1');
assert.equal(events[0].recordedAt, '2024-01-01T00:00:00.000Z');
await assert.rejects(
  store.appendToStream('Account-1', [opened], { expectedVersion: 'noStream' }),
  VersionConflictError,
);

class Account extends AggregateRoot {
  static category = 'Account';
  close() {
    throw new DomainError('It is not open');
  }
  apply() {}
}
await given(Account, [])
  .when((account) => account.close())
  .then(DomainError);

let cases = 0;
describeEventStore('MemoryEventStore', () => new MemoryEventStore(), {
  describe: (_name, define) => define(),
  it: () => (cases += 1),
  expect: () => assert.fail('no case was run'),
});
assert.ok(cases > 0);
console.log('".", ./memory, ./cache and ./testing work by import');
