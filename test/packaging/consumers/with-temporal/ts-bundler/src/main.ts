import {
  AggregateRepository,
  AggregateRoot,
  VersionConflictError,
  DomainError,
  isEventStoreError,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';

interface Deposited {
  readonly type: 'Deposited';
  readonly data: { readonly amount: number };
}

class Account extends AggregateRoot<Deposited> {
  static readonly category = 'Account';
  balance = 0;

  deposit(amount: number): void {
    if (amount <= 0) throw new DomainError('An amount is positive');
    this.raise({ type: 'Deposited', data: { amount } });
  }

  protected apply(event: Deposited): void {
    this.balance += event.data.amount;
  }
}

function assert(condition: boolean, claim: string): void {
  if (!condition) throw new Error(`Not so: ${claim}`);
}

const store = cachingEventStore(new MemoryEventStore());
const accounts = new AggregateRepository(store, Account);
await accounts.execute('1', (account) => {
  account.deposit(5);
});
assert((await accounts.load('1')).balance === 5, 'what was deposited is there');
await given(Account, [])
  .when((account) => {
    account.deposit(0);
  })
  .then(DomainError);

const conflict: unknown = await store
  .appendToStream<Deposited>('Account-1', [{ type: 'Deposited', data: { amount: 5 } }], {
    expectedVersion: 7,
  })
  .catch((error: unknown) => error);
assert(conflict instanceof VersionConflictError, 'a class is one class, whichever subpath it comes through');
assert(isEventStoreError(conflict, 'VERSION_CONFLICT'), 'errors keep their brand');
assert(
  (conflict as Error).name === 'VersionConflictError',
  'errors keep their name when classes lose theirs',
);
