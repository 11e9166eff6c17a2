import {
  AggregateRepository,
  DomainError,
  InvalidArgumentError,
  type EventStore,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
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
    { options: {}, attempts: 20 },
    { options: { maxAttempts: 1 }, attempts: 1 },
    { options: { maxAttempts: 2, commandId: 'c' }, attempts: 2 },
  ])('gives up after $attempts attempts with $options', async ({ options, attempts }) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store: observed, seen } = contended(Number.POSITIVE_INFINITY);
    const command = vi.fn((account: Account) => account.deposit(10));
    const execute = Promise.allSettled([accountsIn(observed).execute('1', command, options)]);
    // The pauses of the most attempts, none of which is longer than a quarter of a second.
    await vi.advanceTimersByTimeAsync(20 * 250);

    expect((await execute)[0]).toMatchObject({ status: 'rejected' });
    expect(((await execute)[0] as PromiseRejectedResult).reason).toMatchObject({
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
});

describe('many commands to one aggregate at the same time', () => {
  const times = (count: number, execute: (index: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, index) => execute(index)));

  it('take effect, each at its first attempt, in the order of their calls', async () => {
    const accounts = accountsIn(store);
    const order: number[] = [];
    await times(300, (index) =>
      accounts.execute(
        '1',
        (account) => {
          order.push(index);
          account.deposit(1);
        },
        { maxAttempts: 1 },
      ),
    );
    expect(order).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(await accounts.load('1')).toMatchObject({ version: 300, balance: 300 });
  });

  it('take turns also where each has a repository, and a decorated store, of its own', async () => {
    const one = { maxAttempts: 1 };
    await times(50, () => accountsIn(store).execute('1', (account) => account.deposit(1), one));
    await times(50, (index) =>
      accountsIn(index % 2 === 0 ? store : cachingEventStore(store)).execute(
        '1',
        (account) => account.deposit(1),
        one,
      ),
    );
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 100 });
  });

  it('take effect also where they come from processes that know nothing of each other', async () => {
    const processes = Array.from({ length: 4 }, () => accountsIn(observe(store).store));
    await times(40, (index) => processes[index % 4]!.execute('1', (account) => account.deposit(1)));
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 40, balance: 40 });
  });

  it("don't wait for one that failed, nor for those of other aggregates", async () => {
    const accounts = accountsIn(store);
    let release: () => void = () => undefined;
    const slow = accounts.execute('2', () => new Promise<void>((resolve) => (release = resolve)));
    const failed = accounts.execute('1', (account) => account.withdraw(5));
    const next = accounts.execute('1', (account) => account.deposit(5));
    await expect(failed).rejects.toMatchObject({ code: 'DOMAIN_ERROR' });
    expect(await next).toMatchObject({ result: 5 });
    release();
    await slow;
  });

  it("don't wait for one that hangs longer than a second", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const accounts = accountsIn(store);
    void accounts.execute('1', () => new Promise<void>(() => undefined));
    const outcomes: unknown[] = [];
    const rest = times(3, async () => {
      outcomes.push((await accounts.execute('1', (account) => account.deposit(1))).result);
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await rest;
    expect(outcomes).toEqual([1, 2, 3]);
  });
});

describe('execute inside a command', () => {
  const nested = { name: 'InvalidArgumentError', message: expect.stringContaining(`'Account-1'`) as string };

  it.each<[string, () => EventStore]>([
    ['by the same store', () => store],
    ['by a decorated one', () => cachingEventStore(store)],
  ])('to the same aggregate is refused at once, %s', async (_what, other) => {
    const outer = accountsIn(store).execute('1', async (account) => {
      account.deposit(1);
      await accountsIn(other()).execute('1', (same) => same.deposit(2));
    });
    await expect(outer).rejects.toMatchObject(nested);
    expect(await accountsIn(store).exists('1')).toBe(false);
  });

  it('is refused however far inside it is', async () => {
    const accounts = accountsIn(store);
    const outer = accounts.execute('1', () => accounts.execute('2', () => accounts.execute('1', () => 0)));
    await expect(outer).rejects.toMatchObject(nested);
  });

  it('to another aggregate, or of another store, goes through', async () => {
    const accounts = accountsIn(store);
    const others = accountsIn(new MemoryEventStore());
    const { result } = await accounts.execute('1', async (account) => {
      account.deposit(1);
      const here = await accounts.execute('2', (other) => other.deposit(2));
      const there = await others.execute('1', (other) => other.deposit(3));
      return [here.result, there.result];
    });
    expect(result).toEqual([2, 3]);
  });

  it('waits for nobody who may wait for it', async () => {
    const accounts = accountsIn(store);
    let arrived = 0;
    let meet: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (meet = resolve));
    const move = (from: string, to: string) =>
      accounts.execute(from, async (account) => {
        account.deposit(1);
        if (++arrived === 2) meet();
        await both;
        await accounts.execute(to, (other) => other.deposit(1), { commandId: `${from}-${to}` });
      });
    await Promise.all([move('1', '2'), move('2', '1')]);
    expect(await accounts.load('1')).toMatchObject({ balance: 2 });
    expect(await accounts.load('2')).toMatchObject({ balance: 2 });
  });

  it('goes through once the command has ended, also when it was set going in it', async () => {
    const accounts = accountsIn(store);
    let later: Promise<unknown> = Promise.resolve();
    let start: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (start = resolve));
    await accounts.execute('1', (account) => {
      account.deposit(1);
      later = started.then(() => accounts.execute('1', (same) => same.deposit(2)));
    });
    start();
    expect(await later).toMatchObject({ result: 3 });
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
