import { AggregateRoot, type DomainEvent, type RecordedEvent } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import {
  Account,
  closed,
  deposited,
  withdrawn,
  type AccountEvent,
  type Deposited,
} from '../fixtures/account.js';

function recorded(event: Deposited, version: number): RecordedEvent<Deposited> {
  return {
    ...event,
    id: '00000000-0000-5000-8000-000000000000',
    streamId: 'Account-1',
    version,
    position: version + 100,
    commitId: 'c',
    schemaVersion: 1,
    metadata: {},
    tags: [],
    occurredAt: '2024-01-01T00:00:00.000Z',
    recordedAt: '2024-01-01T00:00:00.000Z',
  };
}

describe('an aggregate', () => {
  it('begins with its id, version 0 and nothing to commit', () => {
    const account = new Account('1');
    expect(account).toMatchObject({ id: '1', version: 0, uncommittedEvents: [], balance: 0 });
  });

  it('applies what it raises, and keeps it to be committed', () => {
    const account = new Account('1');
    account.deposit(5);
    account.withdraw(2);

    expect(account.balance).toBe(3);
    expect(account.uncommittedEvents).toEqual([deposited(5), withdrawn(2)]);
    expect(account.version).toBe(0);
  });

  it('moves its version on by the number of events that were committed', () => {
    const account = Account.fromEvents('1', [deposited(5)]);
    account.deposit(1);
    account.deposit(1);
    account.markEventsAsCommitted();

    expect(account).toMatchObject({ version: 3, uncommittedEvents: [], balance: 7 });
    account.markEventsAsCommitted();
    expect(account.version).toBe(3);
  });

  it('keeps its uncommitted events when a caller changes the list', () => {
    const account = new Account('1');
    account.deposit(5);
    (account.uncommittedEvents as AccountEvent[]).pop();
    expect(account.uncommittedEvents).toHaveLength(1);
  });

  it('does not keep an event that it could not apply', () => {
    class Picky extends Account {
      static override readonly category = 'Picky';
      protected override apply(): void {
        throw new Error('Not this one');
      }
    }
    const picky = new Picky('1');
    expect(() => picky.deposit(5)).toThrow('Not this one');
    expect(picky.uncommittedEvents).toEqual([]);
  });

  it('is what its events lead to, without anything to commit', () => {
    const account = Account.fromEvents('1', [deposited(5), withdrawn(2), closed('done')]);

    expect(account).toBeInstanceOf(Account);
    expect(account).toMatchObject({
      id: '1',
      version: 3,
      uncommittedEvents: [],
      balance: 3,
      closedFor: 'done',
    });
  });

  it('takes its version from recorded events', () => {
    expect(Account.fromEvents('1', [recorded(deposited(5), 6), recorded(deposited(5), 7)]).version).toBe(7);
  });

  it('is built from any iterable', () => {
    function* events(): Generator<AccountEvent> {
      yield deposited(5);
      yield deposited(6);
    }
    expect(Account.fromEvents('1', events())).toMatchObject({ version: 2, balance: 11 });
    expect(Account.fromEvents('1', new Set<AccountEvent>())).toMatchObject({ version: 0 });
  });
});

describe('the snapshot of an aggregate', () => {
  it("is the aggregate's own data fields", () => {
    const account = Account.fromEvents('1', [deposited(5), closed('done')]);
    expect(account.toSnapshot()).toEqual({ balance: 5, closedFor: 'done' });
  });

  it('leaves out the id and fields that are functions', () => {
    class Greeter extends Account {
      static override readonly category = 'Greeter';
      readonly greet = (): string => `Hello ${this.id}`;
    }
    const greeter = new Greeter('1');
    greeter.restoreSnapshot({ balance: 5, closedFor: null });

    expect(greeter.toSnapshot()).toEqual({ balance: 5, closedFor: null });
    expect(greeter.greet()).toBe('Hello 1');
  });

  it('restores the state that it was taken from', () => {
    const account = new Account('1');
    account.restoreSnapshot(Account.fromEvents('1', [deposited(5), closed('done')]).toSnapshot());
    expect(account).toMatchObject({ balance: 5, closedFor: 'done' });
  });

  it('restores a field that an event has made undefined', () => {
    class Door extends AggregateRoot<DomainEvent<'Unlocked', object>> {
      static readonly category = 'Door';
      lock: string | undefined = 'factory';
      protected apply(): void {
        this.lock = undefined;
      }
    }
    const door = new Door('1');
    door.restoreSnapshot(Door.fromEvents('1', [{ type: 'Unlocked', data: {} }]).toSnapshot());
    expect(door.lock).toBe(undefined);
  });

  it('restores readonly fields, and keys that are methods of objects', () => {
    const state = JSON.parse(
      '{"balance":1,"closedFor":null,"__proto__":{"admin":true},"toString":"x"}',
    ) as object;
    const account = new Account('1');
    account.restoreSnapshot(state as Record<string, never>);

    expect(account.toSnapshot()).toEqual(state);
    expect((account as unknown as { admin?: boolean }).admin).toBeUndefined();
    expect(account).toBeInstanceOf(Account);
  });

  it('is what the class makes of it, for private fields', () => {
    type Counted = DomainEvent<'Counted', { readonly by: number }>;
    class Counter extends AggregateRoot<Counted> {
      static readonly category = 'Counter';
      #count = 0;
      get count(): number {
        return this.#count;
      }
      protected apply(event: Counted): void {
        this.#count += event.data.by;
      }
      override toSnapshot(): number {
        return this.#count;
      }
      override restoreSnapshot(state: number): void {
        this.#count = state;
      }
    }
    const counter = new Counter('1');
    counter.restoreSnapshot(Counter.fromEvents('1', [{ type: 'Counted', data: { by: 4 } }]).toSnapshot());
    expect(counter.count).toBe(4);
  });
});
