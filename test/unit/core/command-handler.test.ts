import {
  createCommandHandler,
  InvalidArgumentError,
  type CommandHandler,
  type DomainCommand,
  type EventStore,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  account,
  closed,
  deposited,
  withdrawn,
  type AccountCommand,
  type AccountEvent,
} from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;

beforeEach(() => {
  store = new MemoryEventStore();
});

function accountsIn(eventStore: EventStore): CommandHandler<AccountCommand, AccountEvent> {
  return createCommandHandler(eventStore, account);
}

function deposit(amount: number): AccountCommand {
  return { type: 'Deposit', data: { amount } };
}

function withdraw(amount: number): AccountCommand {
  return { type: 'Withdraw', data: { amount } };
}

function close(reason = 'done'): AccountCommand {
  return { type: 'Close', data: { reason } };
}

describe('a command handler', () => {
  it('decides on the present state, appends and returns the events', async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
    const outcome = await accountsIn(store).execute('1', withdraw(2));

    expect(outcome).toEqual({ events: [withdrawn(2)], version: 2, deduplicated: false });
    expect((await store.readStream('Account-1')).events.map((event) => event.data)).toEqual([
      { amount: 5 },
      { amount: 2 },
    ]);
  });

  it('reads page by page, and looks nothing up when a command goes through at once', async () => {
    await store.appendToStream('Account-1', [1, 2, 3].map(deposited));
    const { store: observed, seen } = observe(store);
    const accounts = createCommandHandler(observed, account, { pageSize: 2 });
    await accounts.execute('1', withdraw(6), { commandId: 'c' });

    expect(seen.streamReads.map((read) => read.events)).toEqual([2, 1]);
    expect(seen.lookups).toEqual([]);
  });

  it('waits for a decider that decides asynchronously', async () => {
    const slow = {
      ...account,
      decide: async (...args: Parameters<typeof account.decide>) => {
        await Promise.resolve();
        return account.decide(...args);
      },
    };
    const outcome = await createCommandHandler(store, slow).execute('1', deposit(5));
    expect(outcome).toMatchObject({ events: [deposited(5)], version: 1 });
  });

  it('decides again on the new state when another append comes between', async () => {
    let left = 2;
    const { store: observed } = observe(store, {
      append: async () => (left-- > 0 ? store.appendToStream('Account-1', [deposited(1)]) : undefined),
    });
    expect(await accountsIn(observed).execute('1', deposit(5))).toMatchObject({ version: 3 });
  });

  it('gives up after the attempts that it is allowed', async () => {
    const { store: observed, seen } = observe(store, {
      append: async () => store.appendToStream('Account-1', [deposited(1)]),
    });
    const execute = accountsIn(observed).execute('1', deposit(5), { maxAttempts: 3 });
    await expect(execute).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 3 });
    expect(seen.appends).toHaveLength(3);
  });

  it('lets many commands to one aggregate take effect, each at its first attempt', async () => {
    const execute = () => accountsIn(store).execute('1', deposit(1), { maxAttempts: 1 });
    await Promise.all(Array.from({ length: 50 }, execute));
    expect((await store.readStream('Account-1')).version).toBe(50);
  });

  it('refuses a command inside a command to the same aggregate', async () => {
    const nested = { ...account, decide: () => accountsIn(store).execute('1', deposit(1)) } as never;
    await expect(createCommandHandler(store, nested).execute('1', deposit(1))).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining(`'Account-1'`) as string,
    });
  });

  it('leaves no trace of a command that is rejected, and decides it again', async () => {
    const accounts = accountsIn(store);
    await expect(accounts.execute('1', withdraw(5), { commandId: 'c' })).rejects.toMatchObject({
      code: 'DOMAIN_ERROR',
      reason: 'INSUFFICIENT_FUNDS',
      details: { balance: 0 },
    });
    await accounts.execute('1', deposit(5));
    expect(await accounts.execute('1', withdraw(5), { commandId: 'c' })).toMatchObject({ version: 2 });
  });

  it('appends nothing when the decider yields nothing', async () => {
    await store.appendToStream('Account-1', [closed()]);
    const outcome = await accountsIn(store).execute('1', close(), { commandId: 'c' });
    expect(outcome).toEqual({ events: [], version: 1, deduplicated: false });
  });

  it('reads the snapshot of its category and version, then only the tail', async () => {
    await store.appendToStream('Account-1', [deposited(5), deposited(6)]);
    const state = { balance: 5, isClosed: false };
    await store.snapshots.save('Account-1', { name: 'Account', version: 1 }, 1, state);
    const { store: observed, seen } = observe(store);
    const options = { snapshots: store.snapshots };

    await createCommandHandler(observed, account, options).execute('1', withdraw(11));
    await createCommandHandler(observed, { ...account, snapshotVersion: 2 }, options).execute(
      '1',
      deposit(1),
    );
    expect(seen.streamReads.map((read) => read.events)).toEqual([1, 3]);
  });

  it('refuses unknown options, and a decider without a category', async () => {
    expect(() => createCommandHandler(store, account, { page: 1 } as never)).toThrow(InvalidArgumentError);
    expect(() => createCommandHandler(store, { ...account, category: '' })).toThrow(InvalidArgumentError);
    const execute = accountsIn(store).execute('1', deposit(5), { commitId: 'c' } as never);
    await expect(execute).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});

describe('a command id that took effect before', () => {
  beforeEach(async () => {
    await store.appendToStream('Account-1', [deposited(5)]);
  });

  it.each([
    ['would now be rejected', withdraw(5)],
    ['now yields nothing', close()],
    ['would take effect again', deposit(5)],
  ])('returns the first version when its command %s', async (_what, command) => {
    const accounts = accountsIn(store);
    await accounts.execute('1', command, { commandId: 'c' });
    await accounts.execute('1', deposit(1));

    expect(await accounts.execute('1', structuredClone(command), { commandId: 'c' })).toEqual({
      events: undefined,
      version: 2,
      deduplicated: true,
    });
    expect((await store.readStream('Account-1')).version).toBe(3);
  });

  it.each<[string, AccountCommand, DomainCommand]>([
    ['that yields the same events', deposit(5), { type: 'Deposit', data: { amount: 5, note: 'again' } }],
    ['that yields other events', deposit(5), deposit(6)],
    ['that would be rejected', deposit(5), withdraw(1000)],
    ['that yields nothing', close('done'), close('bored')],
  ])('is refused for another command %s', async (_what, command, other) => {
    const accounts = accountsIn(store);
    await accounts.execute('1', command, { commandId: 'c' });

    await expect(accounts.execute('1', other as AccountCommand, { commandId: 'c' })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
      streamId: 'Account-1',
      commitId: 'c',
    });
    expect((await store.readStream('Account-1')).version).toBe(2);
  });

  it('takes a command with its keys in another order for the same', async () => {
    const accounts = accountsIn(store);
    await accounts.execute('1', deposit(5), { commandId: 'c' });
    const again: AccountCommand = { data: { amount: 5 }, type: 'Deposit' };
    expect(await accounts.execute('1', again, { commandId: 'c' })).toMatchObject({ deduplicated: true });
  });

  it("keeps the caller's metadata beside what it needs to compare commands", async () => {
    const options = { commandId: 'c', metadata: { actor: 'ann' } };
    await accountsIn(store).execute('1', deposit(5), options);
    expect((await store.readStream('Account-1', { fromVersion: 2 })).events[0]?.metadata).toEqual({
      actor: 'ann',
      commandHash: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
    });
  });

  it('can not be compared where the command is not JSON, and counts as the same', async () => {
    const scheduled = createCommandHandler(store, {
      ...account,
      decide: (_state, command: { readonly at: Date; readonly amount: number }) => [
        deposited(command.amount),
      ],
    });
    const first = await scheduled.execute('1', { at: new Date(0), amount: 5 }, { commandId: 'c' });
    const again = await scheduled.execute('1', { at: new Date(1), amount: 6 }, { commandId: 'c' });

    expect(first).toMatchObject({ version: 2, deduplicated: false });
    expect(again).toEqual({ events: undefined, version: 2, deduplicated: true });
  });

  it('counts as the same when only the first was JSON, or when it was stored by other means', async () => {
    const anyCommand = createCommandHandler(store, { ...account, decide: () => [deposited(5)] });
    await anyCommand.execute('1', deposit(5), { commandId: 'c' });
    const notJson = { type: 'Deposit', data: { amount: 1n } } as unknown as AccountCommand;
    expect(await anyCommand.execute('1', notJson, { commandId: 'c' })).toMatchObject({ deduplicated: true });

    await store.appendToStream('Account-2', [deposited(5)], { commitId: 'd' });
    expect(await anyCommand.execute('2', deposit(6), { commandId: 'd' })).toMatchObject({
      deduplicated: true,
    });
  });
});
