import type { Client } from '@temporalio/client';
import type { CommandReceipt, JsonValue } from 'temporal-event-store';
import { AggregateClient } from 'temporal-event-store/client';
import { proxyAggregateClient } from 'temporal-event-store/workflow';
import { describe, expectTypeOf, it } from 'vitest';
import { tally, Wallet } from '../support/wallet.js';

declare const client: Client;
const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue: 'any' });
const tallies = new AggregateClient({ client, aggregate: tally, taskQueue: 'any', lanes: 4 });
const others = new AggregateClient({ client, aggregate: { category: 'Other' }, taskQueue: 'any' });

describe('the commands of a client', () => {
  it('are those that the class lists, with the input of their schemas', () => {
    expectTypeOf(wallets.execute<'deposit'>)
      .parameter(2)
      .toEqualTypeOf<{ amount: number }>();
    // @ts-expect-error no such command
    void wallets.execute('1', 'nowhere');
    // @ts-expect-error another payload
    void wallets.execute('1', 'deposit', { amount: 'five' });
    // @ts-expect-error the payload is missing
    void wallets.execute('1', 'deposit');
  });

  it('without a schema take what the method takes', () => {
    expectTypeOf(wallets.execute<'withdrawSlowly'>)
      .parameter(2)
      .toEqualTypeOf<{ amount: number }>();
    void wallets.execute('1', 'check');
    void wallets.execute('1', 'check', undefined, { commandId: 'a', timeout: 5 });
  });

  it('of a decider take the data of its command', () => {
    expectTypeOf(tallies.execute<'add'>)
      .parameter(2)
      .toEqualTypeOf<{ by: number }>();
    // @ts-expect-error another payload
    void tallies.execute('1', 'add', { amount: 5 });
    void tallies.execute('1', 'reset');
  });

  it('of a mere category are any', () => {
    void others.execute('1', 'anything', { at: 'all' });
    void others.execute('1', 'anything');
  });
});

describe('the state of an aggregate', () => {
  class Shown extends Wallet {
    override toSnapshot(): { readonly balance: number } {
      return { balance: this.balance };
    }
  }

  it('is that of the decider, or what the class shows', async () => {
    expectTypeOf((await tallies.state('1')).state).toEqualTypeOf<{ total: number }>();
    const shown = new AggregateClient({ client, aggregate: Shown, taskQueue: 'any' });
    expectTypeOf((await shown.state('1', { timeout: 5 })).state).toEqualTypeOf<{
      readonly balance: number;
    }>();
  });

  it('is some JSON where the class says no more, or is not known', async () => {
    expectTypeOf((await wallets.state('1')).state).toEqualTypeOf<JsonValue>();
    expectTypeOf((await others.state('1')).state).toEqualTypeOf<JsonValue>();
    // @ts-expect-error no such option
    void others.state('1', { retries: 5 });
  });
});

describe('a receipt', () => {
  it('names the types of the events of a class, or of a decider', async () => {
    expectTypeOf(await wallets.execute('1', 'check')).toEqualTypeOf<
      CommandReceipt<'Deposited' | 'Withdrawn'>
    >();
    expectTypeOf(await tallies.execute('1', 'reset')).toEqualTypeOf<CommandReceipt<'Added' | 'Reset'>>();
    expectTypeOf(await others.execute('1', 'anything')).toEqualTypeOf<CommandReceipt>();
    expectTypeOf<CommandReceipt['position']>().toBeNumber();
  });

  it('is the same in a workflow', async () => {
    const receipt = await proxyAggregateClient(Wallet).execute('1', 'check');
    expectTypeOf(receipt.events[0]!.type).toEqualTypeOf<'Deposited' | 'Withdrawn'>();
    expectTypeOf(await proxyAggregateClient(tally).execute('1', 'reset')).toEqualTypeOf<
      CommandReceipt<'Added' | 'Reset'>
    >();
  });

  it('of one aggregate is a receipt like any other', () => {
    expectTypeOf<CommandReceipt<'Added'>>().toExtend<CommandReceipt>();
  });
});

it('a workflow sends the same', () => {
  const proxy = proxyAggregateClient(Wallet);
  void proxy.execute('1', 'deposit', { amount: 5 }, { commandId: 'a' });
  // @ts-expect-error another payload
  void proxy.execute('1', 'deposit', { amount: 'five' });
  // @ts-expect-error a workflow waits as long as it takes
  void proxy.execute('1', 'deposit', { amount: 5 }, { timeout: 5 });
});
