import type { Client } from '@temporalio/client';
import {
  type CommandReceipt,
  type Decision,
  type DomainEvent,
  type EventStore,
  type JsonValue,
} from 'temporal-event-store';
import { createAggregateActivities, type AnyDecision } from 'temporal-event-store/activities';
import { AggregateClient } from 'temporal-event-store/client';
import { proxyAggregateClient } from 'temporal-event-store/workflow';
import { describe, expectTypeOf, it } from 'vitest';
import { enrol, type Enrolment } from '../support/enrolment.js';
import { tally, Wallet } from '../support/wallet.js';

declare const client: Client;
declare const store: EventStore;
declare const formless: Decision<number, Enrolment, DomainEvent>;
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

describe('the commands of a decision', () => {
  const enrolments = new AggregateClient({ client, aggregate: enrol, taskQueue: 'any' });
  const enrolment = { course: 'a', student: 'ann' };

  it('have a name, a payload and options, and no id', async () => {
    const receipt = await enrolments.execute('enrol', enrolment, { commandId: 'a', timeout: 5 });
    expectTypeOf(receipt).toEqualTypeOf<CommandReceipt<'Opened' | 'Enrolled'>>();
    // @ts-expect-error a decision has no id
    void enrolments.execute('1', 'enrol', enrolment);
    // @ts-expect-error no such command
    void enrolments.execute('leave', enrolment);
    // @ts-expect-error another payload
    void enrolments.execute('enrol', { course: 'a' });
    // @ts-expect-error the payload is missing
    void enrolments.execute('enrol');
    // @ts-expect-error no such option
    void enrolments.execute('enrol', enrolment, { retries: 5 });
    // @ts-expect-error an aggregate has an id
    void wallets.execute('deposit', { amount: 5 });
  });

  it('without a schema take the data of the command', () => {
    expectTypeOf(enrolments.execute<'fail'>)
      .parameter(1)
      .toEqualTypeOf<Enrolment>();
  });

  it('are sent by a workflow in the same way', async () => {
    const proxy = proxyAggregateClient(enrol);
    const receipt = await proxy.execute('enrol', enrolment, { commandId: 'a' });
    expectTypeOf(receipt).toEqualTypeOf<CommandReceipt<'Opened' | 'Enrolled'>>();
    // @ts-expect-error a decision has no id
    void proxy.execute('1', 'enrol', enrolment);
    // @ts-expect-error another payload
    void proxy.execute('enrol', { course: 'a' });
  });

  it('are told from the rest of a decision, which may stay on the worker', () => {
    const { name, home, filter } = enrol;
    const target = { name, commands: { enrol: true }, home, filter } as const;
    void new AggregateClient({ client, aggregate: target, taskQueue: 'any' }).execute('enrol', enrolment);
  });

  it('have the form { type, data }', () => {
    // @ts-expect-error its commands can't be sent
    new AggregateClient({ client, aggregate: formless, taskQueue: 'any' });
    // @ts-expect-error its commands can't be sent
    proxyAggregateClient(formless);
  });

  it('lead to no state', () => {
    // @ts-expect-error a decision has none
    void enrolments.state('1');
  });

  it('are decided by a worker that is given the decision among its aggregates', () => {
    expectTypeOf(enrol).toExtend<AnyDecision>();
    expectTypeOf(createAggregateActivities).toBeCallableWith({ store, aggregates: [enrol, Wallet, tally] });
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
