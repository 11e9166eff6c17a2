import {
  AggregateRepository,
  VersionConflictError,
  InvalidArgumentError,
  type EventStore,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { Account, deposited, withdrawn } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;
let accounts: AggregateRepository<Account>;

beforeEach(() => {
  store = new MemoryEventStore();
  accounts = new AggregateRepository(store, Account);
});

async function typesIn(from: EventStore, streamId = 'Account-1'): Promise<string[]> {
  return (await from.readStream(streamId)).events.map((event) => event.type);
}

describe('load', () => {
  it('builds the aggregate up from its events', async () => {
    await store.appendToStream('Account-1', [deposited(5), withdrawn(2)]);
    expect(await accounts.load('1')).toMatchObject({
      id: '1',
      version: 2,
      balance: 3,
      uncommittedEvents: [],
    });
  });

  it('gives a new aggregate where there are no events', async () => {
    expect(await accounts.load('1')).toMatchObject({ id: '1', version: 0, balance: 0 });
  });

  it('reads page by page', async () => {
    const { store: observed, seen } = observe(store);
    await store.appendToStream('Account-1', [1, 2, 3, 4, 5].map(deposited));
    const account = await new AggregateRepository(observed, Account, { pageSize: 2 }).load('1');

    expect(account).toMatchObject({ version: 5, balance: 15 });
    expect(seen.streamReads.map((read) => read.events)).toEqual([2, 2, 1]);
  });

  it('takes an id with dashes', async () => {
    const id = '6b1f-42';
    await accounts.execute(id, (account) => account.deposit(5));
    expect((await accounts.load(id)).balance).toBe(5);
    expect((await store.readStream('Account-6b1f-42')).version).toBe(1);
  });

  it.each(['', 'a\nb', 7])('refuses the id %j', async (id) => {
    await expect(accounts.load(id as string)).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});

describe('find and exists', () => {
  it('find nothing where there are no events', async () => {
    expect(await accounts.find('1')).toBeUndefined();
    expect(await accounts.exists('1')).toBe(false);
  });

  it('find an aggregate that has events', async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
    expect(await accounts.find('1')).toMatchObject({ version: 1, balance: 5 });
    expect(await accounts.exists('1')).toBe(true);
  });
});

describe('save', () => {
  it('appends the uncommitted events and marks them as committed', async () => {
    const account = new Account('1');
    account.deposit(5);
    account.withdraw(2);
    const result = await accounts.save(account);

    expect(result).toMatchObject({ streamId: 'Account-1', version: 2, deduplicated: false });
    expect(account).toMatchObject({ version: 2, uncommittedEvents: [] });
    expect(await accounts.load('1')).toMatchObject({ version: 2, balance: 3 });
  });

  it('expects the version that was loaded, not the one after the new events', async () => {
    const { store: observed, seen } = observe(store);
    await store.appendToStream('Account-1', [deposited(5)]);
    const repository = new AggregateRepository(observed, Account);
    const account = await repository.load('1');
    account.deposit(1);
    account.deposit(1);
    await repository.save(account);
    account.deposit(1);
    await repository.save(account);

    expect(seen.appends.map((options) => options.expectedVersion)).toEqual([1, 3]);
  });

  it('refuses when another append came first, and keeps the uncommitted events', async () => {
    const account = await accounts.load('1');
    account.deposit(5);
    await store.appendToStream('Account-1', [deposited(100)]);

    await expect(accounts.save(account)).rejects.toBeInstanceOf(VersionConflictError);
    expect(account).toMatchObject({ version: 0, uncommittedEvents: [deposited(5)] });
    expect(await typesIn(store)).toEqual(['Deposited']);
  });

  it('appends nothing for an unchanged aggregate', async () => {
    const { store: observed, seen } = observe(store);
    await store.appendToStream('Account-1', [deposited(5)]);
    const repository = new AggregateRepository(observed, Account);

    expect(await repository.save(await repository.load('1'))).toEqual({
      streamId: 'Account-1',
      commitId: '',
      version: 1,
      position: 0,
      eventIds: [],
      deduplicated: false,
    });
    expect(seen.appends).toEqual([]);
  });

  it('takes effect once when it is repeated with its commit id', async () => {
    const [first, repeated] = [new Account('1'), new Account('1')];
    for (const account of [first, repeated]) account.deposit(5);
    const result = await accounts.save(first, { commitId: 'c' });

    expect(await accounts.save(repeated, { commitId: 'c' })).toEqual({ ...result, deduplicated: true });
    expect(repeated).toMatchObject({ version: 1, uncommittedEvents: [] });
    expect((await accounts.load('1')).balance).toBe(5);
  });

  it('puts metadata on every event', async () => {
    const account = new Account('1');
    account.deposit(5);
    account.deposit(6);
    await accounts.save(account, { metadata: { actor: 'ann' } });
    const { events } = await store.readStream('Account-1');
    expect(events.map((event) => event.metadata)).toEqual([{ actor: 'ann' }, { actor: 'ann' }]);
  });

  it.each([{ commitId: '' }, { metadata: [] }, { expectedVersion: 1 }])(
    'refuses the options %j',
    async (options) => {
      const account = new Account('1');
      account.deposit(5);
      await expect(accounts.save(account, options as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    },
  );
});

describe('a repository', () => {
  it.each([{ pageSize: 0 }, { snapshots: 'memory' }, { cache: true }])(
    'refuses the options %j',
    (options) => {
      expect(() => new AggregateRepository(store, Account, options as never)).toThrow(InvalidArgumentError);
    },
  );

  it.each([undefined, '', 'a-b'])('refuses a class of the category %j', (category) => {
    class Nameless extends Account {
      static override readonly category = category as string;
    }
    expect(() => new AggregateRepository(store, Nameless)).toThrow(InvalidArgumentError);
  });
});
