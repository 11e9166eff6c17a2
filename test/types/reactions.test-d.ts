import {
  defineReaction,
  sendCommand,
  startWorkflow,
  type Consequence,
  type DomainEvent,
  type RecordedEvent,
} from 'temporal-event-store';
import { describe, expectTypeOf, it } from 'vitest';
import { enrol } from '../support/enrolment.js';
import { tally, Wallet } from '../support/wallet.js';

type Paid = DomainEvent<'Paid', { readonly amount: number }>;
type Failed = DomainEvent<'Failed', { readonly why: string }>;
declare function refund(payment: string, amount: number): Promise<boolean>;
declare function tidy(): Promise<void>;

describe('a reaction', () => {
  it('gets the events that it names', () => {
    defineReaction<Paid | Failed>({
      name: 'any',
      on: ['Paid', 'Failed'],
      handle: (event) => {
        expectTypeOf(event).toEqualTypeOf<RecordedEvent<Paid | Failed>>();
        if (event.type === 'Failed') expectTypeOf(event.data.why).toEqualTypeOf<string>();
      },
      onRejected: ({ error, command }, event) => {
        expectTypeOf(error.reason).toEqualTypeOf<string | undefined>();
        expectTypeOf(command.id).toEqualTypeOf<string | undefined>();
        expectTypeOf(event.type).toEqualTypeOf<'Paid' | 'Failed'>();
      },
    });
    defineReaction<Paid>({
      name: 'any',
      // @ts-expect-error no such event
      on: 'Refunded',
      handle: () => undefined,
    });
    // @ts-expect-error not a consequence
    defineReaction<Paid>({ name: 'any', on: 'Paid', handle: () => 'refund' });
  });
});

describe('the consequences', () => {
  it('start a workflow with its arguments', () => {
    expectTypeOf(startWorkflow(refund, { args: ['1', 5] })).toEqualTypeOf<Consequence>();
    startWorkflow<typeof refund>('refund', { args: ['1', 5], taskQueue: 'payments', workflowId: 'refund-1' });
    startWorkflow(tidy, {});
    startWorkflow('anything', { args: [1, { at: 'all' }] });
    startWorkflow('anything', {});
    // @ts-expect-error another argument
    startWorkflow(refund, { args: ['1', 'five'] });
    // @ts-expect-error an argument is missing
    startWorkflow<typeof refund>('refund', { args: ['1'] });
    // @ts-expect-error the arguments are missing
    startWorkflow(refund, {});
    // @ts-expect-error one too many
    startWorkflow(tidy, { args: [1] });
  });

  it('send a command with its payload', () => {
    sendCommand(Wallet, '1', 'deposit', { amount: 5 }, { taskQueue: 'wallets' });
    sendCommand(Wallet, '1', 'check');
    sendCommand(tally, '1', 'add', { by: 5 });
    sendCommand(enrol, 'enrol', { course: 'a', student: 'ann' }, { lanes: 4 });
    // @ts-expect-error a decision has no id
    sendCommand(enrol, '1', 'enrol', { course: 'a', student: 'ann' });
    // @ts-expect-error another payload
    sendCommand(enrol, 'enrol', { course: 'a' });
    sendCommand({ category: 'Other' }, '1', 'anything', { at: 'all' });
    // @ts-expect-error no such command
    sendCommand(Wallet, '1', 'nowhere');
    // @ts-expect-error another payload
    sendCommand(Wallet, '1', 'deposit', { amount: 'five' });
    // @ts-expect-error the payload is missing
    sendCommand(Wallet, '1', 'deposit');
  });
});
