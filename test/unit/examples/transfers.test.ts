import {
  createCommandHandler,
  createDecisionHandler,
  iterateStream,
  type DomainEvent,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { accountDecider } from '../../../examples/reservations/accounts/account-decider.js';
import {
  accountStream,
  balanceAfter,
  ofAccount,
  type AccountEvent,
  type Transfer,
} from '../../../examples/reservations/accounts/account-event.js';
import { transfer } from '../../../examples/reservations/accounts/transfer-decision.js';
import { observeStreams } from '../fixtures/observed-store.js';

function opened(account: string, cents: number, limit = 1_000_00) {
  return [
    ofAccount(account, { type: 'AccountOpened', data: { limit } }),
    ofAccount(account, { type: 'Deposited', data: { cents } }),
  ].map((event) => ({ ...event, streamId: accountStream(account) }));
}

const command: Transfer = { from: 'a', to: 'b', cents: 30_00 };
const moved: readonly (DomainEvent & { readonly streamId: string })[] = [
  { type: 'Withdrawn', data: { cents: 30_00 }, streamId: 'Account-a' },
  { type: 'Deposited', data: { cents: 30_00 }, streamId: 'Account-b' },
];

describe('a transfer by a decision', () => {
  it('moves the money', async () => {
    await given(transfer, [...opened('a', 50_00), ...opened('b', 10_00)])
      .when(command)
      .then(moved);
  });

  it.each<[string, Partial<Transfer>, number, string]>([
    ['more than the payer has', { cents: 50_01 }, 1_000_00, 'OVERDRAWN'],
    ['more than the payee may have', {}, 39_99, 'LIMIT_EXCEEDED'],
    ['to nobody', { to: 'c' }, 1_000_00, 'NO_ACCOUNT'],
    ['to the payer', { to: 'a' }, 1_000_00, 'SAME_ACCOUNT'],
    ['of nothing', { cents: 0 }, 1_000_00, 'INVALID_AMOUNT'],
  ])('refuses one of %s', async (_what, change, limit, reason) => {
    await given(transfer, [...opened('a', 50_00), ...opened('b', 10_00, limit)])
      .when({ ...command, ...change })
      .then({ reason });
  });
});

describe('a transfer by the payer’s aggregate', () => {
  const past = opened('a', 50_00).map(({ type, data }) => ({ type, data }) as AccountEvent);

  it('moves the money', async () => {
    await given(accountDecider, past)
      .when({ type: 'Transfer', data: command })
      .then([{ type: 'Withdrawn', data: { cents: 30_00 } }, ...moved.slice(1)]);
  });

  it('refuses more than the payer has', async () => {
    await given(accountDecider, past)
      .when({ type: 'Transfer', data: { ...command, cents: 50_01 } })
      .then({ reason: 'OVERDRAWN' });
  });
});

describe('at once', () => {
  let store: MemoryEventStore;
  beforeEach(async () => {
    store = new MemoryEventStore();
    for (const account of ['a', 'b', 'c']) await open(account);
  });

  async function open(account: string): Promise<void> {
    const events = opened(account, 100_00, 120_00).map(({ streamId: _, ...event }) => event);
    await store.appendToStream(accountStream(account), events);
  }

  async function balances(): Promise<readonly number[]> {
    return Promise.all(
      ['a', 'b', 'c'].map(async (account) => {
        let balance = 0;
        const events = iterateStream<AccountEvent>(store, accountStream(account));
        for await (const event of events) balance = balanceAfter(balance, event);
        return balance;
      }),
    );
  }

  const everybody = ['a', 'b', 'c'].flatMap((from) =>
    ['a', 'b', 'c'].flatMap((to) => (from === to ? [] : Array.from({ length: 10 }, () => ({ from, to })))),
  );

  async function race(execute: (each: Transfer) => Promise<unknown>): Promise<readonly number[]> {
    await Promise.allSettled(everybody.map(({ from, to }) => execute({ from, to, cents: 15_00 })));
    return balances();
  }

  it('by decisions both rules hold and no money is lost', async () => {
    const { execute } = createDecisionHandler(store, transfer);
    const after = await race((each) => execute(each));
    expect(after.reduce((sum, balance) => sum + balance)).toBe(300_00);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...after)).toBeLessThanOrEqual(120_00);
  });

  it('by aggregates the payer’s rule holds and no money is lost', async () => {
    const { execute } = createCommandHandler(store, accountDecider);
    const after = await race((each) => execute(each.from, { type: 'Transfer', data: each }));
    expect(after.reduce((sum, balance) => sum + balance)).toBe(300_00);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
  });

  it('a decision sees what an aggregate has appended while it decided', async () => {
    const byAggregate = createCommandHandler(store, accountDecider);
    const payInstead = async (): Promise<unknown> =>
      byAggregate.execute('c', { type: 'Transfer', data: { from: 'c', to: 'b', cents: 15_00 } });
    let appends = 0;
    const { store: interrupted } = observeStreams(store, {
      append: () => (appends++ === 0 ? payInstead() : Promise.resolve()),
    });
    await expect(
      createDecisionHandler(interrupted, transfer).execute({ from: 'a', to: 'b', cents: 15_00 }),
    ).rejects.toMatchObject({ reason: 'LIMIT_EXCEEDED' });
  });

  it('an aggregate can expect the payee to exist, and nothing is moved where it does not', async () => {
    const { execute } = createCommandHandler(store, accountDecider);
    const data = { from: 'a', to: 'nobody', cents: 15_00 };
    await expect(execute('a', { type: 'Transfer', data }, { maxAttempts: 1 })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      streamId: 'Account-nobody',
    });
    expect(await balances()).toEqual([100_00, 100_00, 100_00]);
  });
});
