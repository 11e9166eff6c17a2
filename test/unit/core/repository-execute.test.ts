import {
  AggregateRepository,
  DomainError,
  InvalidArgumentError,
  type EventStore,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Account, deposited, withdrawn } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;

beforeEach(() => {
  store = new MemoryEventStore();
});

function accountsIn(eventStore: EventStore): AggregateRepository<Account> {
  return new AggregateRepository(eventStore, Account);
}

/** A store in which somebody else deposits 1 before each of the first appends. */
function contended(times: number): ReturnType<typeof observe> {
  let left = times;
  return observe(store, {
    append: async () => {
      if (left-- > 0) await store.appendToStream('Account-1', [deposited(1)]);
    },
  });
}

describe('execute', () => {
  it('decides, appends and returns what the command returned', async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
    const outcome = await accountsIn(store).execute('1', (account) => account.withdraw(2));

    expect(outcome).toEqual({ result: 3, version: 2, deduplicated: false });
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 2, balance: 3 });
  });

  it('waits for a command that is asynchronous', async () => {
    const outcome = await accountsIn(store).execute('1', async (account) => {
      await Promise.resolve();
      account.deposit(5);
      await Promise.resolve();
      return account.deposit(6);
    });
    expect(outcome).toEqual({ result: 11, version: 2, deduplicated: false });
  });

  it('looks nothing up when a command goes through at once', async () => {
    const { store: observed, seen } = observe(store);
    await accountsIn(observed).execute('1', (account) => account.deposit(5), { commandId: 'c' });
    expect(seen).toMatchObject({ streamReads: [{ events: 0 }], appends: [{ commitId: 'c' }], lookups: [] });
  });

  it('stores the command id as the commit id, and metadata on every event', async () => {
    const options = { commandId: 'c', metadata: { correlationId: 'order-1' } };
    await accountsIn(store).execute('1', (account) => account.deposit(5), options);
    expect((await store.readStream('Account-1')).events[0]).toMatchObject({
      commitId: 'c',
      metadata: { correlationId: 'order-1' },
    });
  });

  it('appends nothing for a command that changes nothing', async () => {
    const { store: observed, seen } = observe(store);
    await store.appendToStream('Account-1', [deposited(5)]);
    const outcome = await accountsIn(observed).execute('1', (account) => account.balance);

    expect(outcome).toEqual({ result: 5, version: 1, deduplicated: false });
    expect(seen).toMatchObject({ appends: [], lookups: [] });
  });

  it.each([{ commandId: '' }, { maxAttempts: 0 }, { metadata: 'x' }, { commitId: 'c' }])(
    'refuses the options %j',
    async (options) => {
      const execute = accountsIn(store).execute('1', (account) => account.deposit(5), options as never);
      await expect(execute).rejects.toBeInstanceOf(InvalidArgumentError);
    },
  );
});

describe('execute when another append comes between', () => {
  it('decides again on the new state', async () => {
    const { store: observed } = contended(2);
    const balances: number[] = [];
    const outcome = await accountsIn(observed).execute('1', (account) => {
      balances.push(account.balance);
      return account.deposit(10);
    });

    expect(balances).toEqual([0, 1, 2]);
    expect(outcome).toEqual({ result: 12, version: 3, deduplicated: false });
  });

  it('rejects the command when the new state does not allow it', async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
    const { store: observed } = observe(store, {
      append: async () => store.appendToStream('Account-1', [withdrawn(4)]),
    });
    const execute = accountsIn(observed).execute('1', (account) => account.withdraw(5), { commandId: 'c' });

    await expect(execute).rejects.toMatchObject({ code: 'DOMAIN_ERROR', reason: 'INSUFFICIENT_FUNDS' });
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 2, balance: 1 });
  });

  it.each([
    { options: {}, attempts: 5 },
    { options: { maxAttempts: 1 }, attempts: 1 },
    { options: { maxAttempts: 2, commandId: 'c' }, attempts: 2 },
  ])('gives up after $attempts attempts with $options', async ({ options, attempts }) => {
    const { store: observed, seen } = contended(Number.POSITIVE_INFINITY);
    const command = vi.fn((account: Account) => account.deposit(10));

    await expect(accountsIn(observed).execute('1', command, options)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      streamId: 'Account-1',
      expectedVersion: attempts - 1,
      actualVersion: attempts,
      message: expect.stringContaining(`each of ${attempts} attempts`) as unknown,
      cause: { code: 'VERSION_CONFLICT' },
    });
    expect(command).toHaveBeenCalledTimes(attempts);
    expect(seen.appends).toHaveLength(attempts);
  });

  it('lets every one of many commands take effect, given attempts enough', async () => {
    const accounts = accountsIn(store);
    await Promise.all(
      Array.from({ length: 20 }, () =>
        accounts.execute('1', (account) => account.deposit(1), { maxAttempts: 20 }),
      ),
    );
    expect(await accounts.load('1')).toMatchObject({ version: 20, balance: 20 });
  });
});

describe('execute with a command id that took effect before', () => {
  const withdrawAll = (account: Account): number => account.withdraw(5);

  beforeEach(async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
    await accountsIn(store).execute('1', withdrawAll, { commandId: 'c' });
    await store.appendToStream('Account-1', [deposited(1)]);
  });

  it.each<[string, (account: Account) => unknown]>([
    ['would now be rejected', withdrawAll],
    ['now fails for another reason', () => Promise.reject(new TypeError('A defect'))],
    ['now yields no events', () => undefined],
    ['now yields other events', (account) => account.deposit(7)],
  ])('returns the first version when the command %s', async (_what, command) => {
    const outcome = await accountsIn(store).execute('1', command, { commandId: 'c' });

    expect(outcome).toEqual({ result: undefined, version: 2, deduplicated: true });
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 3, balance: 1 });
  });

  it('returns the first version when the command would take effect again', async () => {
    const deposit = (account: Account): number => account.deposit(7);
    await accountsIn(store).execute('1', deposit, { commandId: 'd' });
    await store.appendToStream('Account-1', [deposited(1)]);

    const again = await accountsIn(store).execute('1', deposit, { commandId: 'd' });
    expect(again).toEqual({ result: undefined, version: 4, deduplicated: true });
    expect((await store.readStream('Account-1')).version).toBe(5);
  });

  it('returns the first version when the first reply comes while the second is decided', async () => {
    const { store: observed } = observe(store, {
      append: async () => store.appendToStream('Account-1', [deposited(7)], { commitId: 'd' }),
    });
    const deposit = accountsIn(observed).execute('1', (account) => account.deposit(7), { commandId: 'd' });
    expect(await deposit).toEqual({ result: undefined, version: 4, deduplicated: true });
  });

  it('counts a command id per aggregate', async () => {
    const outcome = await accountsIn(store).execute('2', (account) => account.deposit(5), { commandId: 'c' });
    expect(outcome).toEqual({ result: 5, version: 1, deduplicated: false });
  });

  it('finds a command whose reply was lost', async () => {
    const { store: losing } = observe(store);
    losing.appendToStream = async (...args) => {
      await store.appendToStream(...args);
      throw new Error('Connection reset');
    };
    const deposit = (account: Account): number => account.deposit(7);
    await expect(accountsIn(losing).execute('1', deposit, { commandId: 'd' })).rejects.toThrow('reset');

    const again = await accountsIn(store).execute('1', deposit, { commandId: 'd' });
    expect(again).toEqual({ result: undefined, version: 4, deduplicated: true });
  });
});

describe('a command that was rejected or changed nothing', () => {
  it('leaves no trace and is decided again', async () => {
    const accounts = accountsIn(store);
    const withdraw = (): Promise<unknown> =>
      accounts.execute('1', (account) => account.withdraw(5), { commandId: 'c' });

    await expect(withdraw()).rejects.toBeInstanceOf(DomainError);
    expect((await store.readStream('Account-1')).version).toBe(0);
    expect(await store.findCommit('Account-1', 'c')).toBeUndefined();

    await store.appendToStream('Account-1', [deposited(5)]);
    expect(await withdraw()).toEqual({ result: 0, version: 2, deduplicated: false });
  });

  it('is decided again when it yielded no events', async () => {
    const accounts = accountsIn(store);
    const closing = { commandId: 'c' };
    expect(await accounts.execute('1', () => 'nothing', closing)).toEqual({
      result: 'nothing',
      version: 0,
      deduplicated: false,
    });
    expect(await accounts.execute('1', (account) => account.deposit(1), closing)).toMatchObject({
      version: 1,
      deduplicated: false,
    });
  });

  it('throws what the command threw, untouched', async () => {
    const defect = new TypeError('A defect');
    const execute = accountsIn(store).execute('1', () => Promise.reject(defect), { commandId: 'c' });
    await expect(execute).rejects.toBe(defect);
  });

  it('passes on an error of the store, untouched', async () => {
    const broken = new Error('Disk full');
    const { store: observed, seen } = observe(store, { append: () => Promise.reject(broken) });
    const execute = accountsIn(observed).execute('1', (account) => account.deposit(5), { commandId: 'c' });

    await expect(execute).rejects.toBe(broken);
    expect(seen).toMatchObject({ appends: [{}], lookups: [] });
  });
});
