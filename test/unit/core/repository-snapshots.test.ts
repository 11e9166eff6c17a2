import {
  AggregateRepository,
  AggregateRoot,
  InvalidArgumentError,
  type JsonValue,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { Account, deposited } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;
let accounts: AggregateRepository<Account>;

beforeEach(async () => {
  store = new MemoryEventStore();
  accounts = new AggregateRepository(store, Account, { snapshots: store.snapshots });
  await store.appendToStream('Account-1', [1, 2, 3, 4, 5].map(deposited));
});

/** A class of the same category whose state has changed shape. */
class AccountOfVersion2 extends Account {
  static readonly snapshotVersion = 2;
}

describe('a repository with snapshots', () => {
  it('reads the tail only', async () => {
    await accounts.saveSnapshot(await accounts.load('1'));
    await store.appendToStream('Account-1', [deposited(10)]);
    const { store: observed, seen } = observe(store);
    const account = await new AggregateRepository(observed, Account, { snapshots: store.snapshots }).load(
      '1',
    );

    expect(account).toMatchObject({ id: '1', version: 6, balance: 25, uncommittedEvents: [] });
    expect(seen.streamReads).toEqual([{ options: { fromVersion: 6 }, events: 1 }]);
  });

  it('goes on from a snapshot that holds all there is', async () => {
    await accounts.saveSnapshot(await accounts.load('1'));
    const outcome = await accounts.execute('1', (account) => account.withdraw(15));
    expect(outcome).toEqual({ result: 0, version: 6, deduplicated: false });
    expect(await accounts.find('1')).toMatchObject({ version: 6, balance: 0 });
  });

  it('gives what all events would give, whenever the snapshot was taken', async () => {
    const plain = await new AggregateRepository(store, Account).load('1');
    for (let version = 0; version <= 5; version++) {
      const { events } = await store.readStream<ReturnType<typeof deposited>>('Account-1', {
        toVersion: version,
      });
      await accounts.saveSnapshot(Account.fromEvents('1', events));
      expect(await accounts.load('1')).toEqual(plain);
    }
  });

  it('leaves a snapshot of another snapshotVersion unread', async () => {
    await accounts.saveSnapshot(await accounts.load('1'));
    const { store: observed, seen } = observe(store);
    const repository = new AggregateRepository(observed, AccountOfVersion2, { snapshots: store.snapshots });

    expect(await repository.load('1')).toMatchObject({ version: 5, balance: 15 });
    expect(seen.streamReads).toMatchObject([{ events: 5 }]);
  });

  it('leaves a snapshot unread that is ahead of a restored stream', async () => {
    await accounts.saveSnapshot(await accounts.load('1'));
    const restored = new MemoryEventStore();
    await restored.appendToStream('Account-1', [1, 2].map(deposited));
    const repository = new AggregateRepository(restored, Account, { snapshots: store.snapshots });

    expect(await repository.load('1')).toMatchObject({ version: 2, balance: 3 });
    expect(await repository.find('2')).toBeUndefined();
  });
});

describe('saveSnapshot', () => {
  it('refuses an aggregate with uncommitted events', async () => {
    const account = await accounts.load('1');
    account.deposit(1);
    await expect(accounts.saveSnapshot(account)).rejects.toThrow(/uncommitted/);
    await expect(accounts.saveSnapshot(account)).rejects.toBeInstanceOf(InvalidArgumentError);
  });

  it('refuses where there is no snapshot store', async () => {
    const repository = new AggregateRepository(store, Account);
    await expect(repository.saveSnapshot(await repository.load('1'))).rejects.toThrow(/`snapshots`/);
  });

  it('refuses a state that is not JSON, with the place of the offender', async () => {
    class Dated extends Account {
      history = [{ at: new Date(0) }];
    }
    const repository = new AggregateRepository(store, Dated, { snapshots: store.snapshots });
    const save = repository.saveSnapshot(await repository.load('1'));

    await expect(save).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(save).rejects.toThrow(/state\.history\[0\]\.at is a Date/);
  });

  /** What an aggregate may keep, with snapshots that hold and restore all of it, or not. */
  class Keeping extends AggregateRoot<ReturnType<typeof deposited>> {
    static readonly category = 'Account';
    static readonly snapshotVersion = 1;
    kept: unknown;
    balance = 0;
    readonly limits = new Map([['day', 100]]);
    override toSnapshot(): JsonValue {
      return { kept: String(this.kept), balance: this.balance };
    }
    override restoreSnapshot(state: JsonValue): void {
      Object.assign(this, state);
    }
    protected apply(event: ReturnType<typeof deposited>): void {
      this.balance += event.data.amount;
    }
  }

  it.each<[string, (keeping: Keeping) => unknown, string]>([
    ['a Date', (keeping) => (keeping.kept = new Date(0)), 'state.kept is a Date, and restored a string'],
    ['NaN', (keeping) => (keeping.kept = NaN), 'state.kept is NaN, and restored a string'],
    ['an object', (keeping) => (keeping.kept = { a: 1 }), 'state.kept is an object, and restored a string'],
    ['-0', (keeping) => (keeping.balance = -0), 'state.balance is -0, and restored a number'],
    [
      'an entry',
      (keeping) => keeping.limits.set('week', 500),
      'state.limits is a Map of 2, and restored a Map of 1',
    ],
    [
      'a value',
      (keeping) => keeping.limits.set('day', 50),
      'state.limits[0][1] is a number, and restored another',
    ],
    [
      'a field',
      (keeping) => Object.assign(keeping, { more: [1] }),
      'state.more is a list of 1, and restored undefined',
    ],
  ])('refuses a snapshot that does not hold the whole state: %s', async (_what, change, problem) => {
    const repository = new AggregateRepository(store, Keeping, { snapshots: store.snapshots });
    const keeping = await repository.load('1');
    keeping.kept = 'text';
    await repository.saveSnapshot(keeping);
    await store.appendToStream('Account-1', [deposited(1)]);

    const next = await repository.load('1');
    expect(next.version).toBe(6);
    change(next);
    await expect(repository.saveSnapshot(next)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /It was not saved.*toSnapshot and restoreSnapshot.*snapshotVersion/,
      ) as string,
    });
    await expect(repository.saveSnapshot(next)).rejects.toThrow(problem);
    expect(await store.snapshots.load('Account-1', { name: 'Account', version: 1 })).toMatchObject({
      version: 5,
    });
  });

  it('refuses a snapshot that can not be restored', async () => {
    class Broken extends Account {
      override restoreSnapshot(): void {
        throw new TypeError('No way back');
      }
    }
    const repository = new AggregateRepository(store, Broken, { snapshots: store.snapshots });
    const save = repository.saveSnapshot(await repository.load('1'));
    await expect(save).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      cause: expect.any(TypeError) as unknown,
    });
    await expect(save).rejects.toThrow(/can't be restored: TypeError: No way back/);
  });

  it('does not go back to an older state', async () => {
    const old = await accounts.load('1');
    await accounts.execute('1', (account) => account.deposit(10));
    await accounts.saveSnapshot(await accounts.load('1'));
    await accounts.saveSnapshot(old);

    expect(await store.snapshots.load('Account-1', { name: 'Account', version: 1 })).toMatchObject({
      version: 6,
    });
  });
});
