import { InvalidArgumentError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  assertCommandList,
  checkCommand,
  checkCommandToSend,
  type CommandTarget,
} from '../../../src/core/aggregates/commands.js';
import { Account } from '../fixtures/account.js';

const amount = z.object({ amount: z.number().default(1) });
const slowAmount = z.object({
  amount: z.number().refine(async (value) => Promise.resolve(value > 0), 'Too low'),
});

const account: CommandTarget = {
  category: 'Account',
  commands: { Deposit: amount, Withdraw: slowAmount, Close: true, Audit: false },
};

class Listed extends Account {
  static override readonly category = 'Listed';
}

const isInvalid = (pattern: RegExp): unknown =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(pattern) as unknown });

describe('the list of commands', () => {
  it.each([
    ['of a decider', account],
    ['of a class', Object.assign(Listed, { commands: { deposit: amount, withdraw: true, close: false } })],
    ['of a class without one', Account],
    ['of just a category', { category: 'Account' }],
  ])('%s is taken', (_whose, target) => {
    expect(() => {
      assertCommandList(target);
    }).not.toThrow();
  });

  it.each([
    [
      'something that is no schema',
      { category: 'Account', commands: { Deposit: {} } },
      /'Deposit' of Account/,
    ],
    ['a method that is not there', classWith({ refund: true }), /'refund' of Account/],
    ['a field that is no method', classWith({ balance: true }), /'balance'/],
    ['a method that every aggregate has', classWith({ toSnapshot: true }), /'toSnapshot'/],
    ['a method that every object has', classWith({ toString: true }), /'toString'/],
  ])('may not hold %s', (_what, target, message) => {
    expect(() => {
      assertCommandList(target as CommandTarget);
    }).toThrow(isInvalid(message));
  });
});

function classWith(commands: Record<string, boolean>): CommandTarget {
  return Object.assign(class extends Account {}, { commands });
}

describe('a command from outside', () => {
  it.each([
    ['as its schema makes it', 'Deposit', {}, { amount: 1 }],
    ['as it is, without a schema', 'Close', { reason: 'done' }, { reason: 'done' }],
    ['as none, without a schema', 'Close', undefined, undefined],
  ])('has its payload %s', (_how, name, payload, result) => {
    expect(checkCommand(account, name, payload)).toEqual(result);
  });

  it('waits for a schema that takes time', async () => {
    expect(await checkCommand(account, 'Withdraw', { amount: 5 })).toEqual({ amount: 5 });
    await expect(checkCommand(account, 'Withdraw', { amount: 0 })).rejects.toThrow(
      isInvalid(/'Withdraw' of Account.*Too low.*payload\.amount/),
    );
  });

  it.each([
    ['it is not listed', 'Refund', {}, /'Refund' of Account.*: Deposit, Withdraw, Close\./],
    ['it is listed as none', 'Audit', {}, /'Audit' of Account/],
    ['it is only a method of objects', 'toString', {}, /'toString' of Account/],
    ['its payload does not fit', 'Deposit', { amount: '5' }, /'Deposit' of Account.*payload\.amount/],
    ['its payload is not JSON', 'Close', { at: new Date(0) }, /'Close' of Account, payload\.at/],
    ['its payload is not JSON, with a schema', 'Deposit', { amount: Number.NaN }, /payload\.amount is NaN/],
  ])('is refused when %s', (_when, name, payload, message) => {
    expect(() => checkCommand(account, name, payload)).toThrow(isInvalid(message));
  });

  it.each([{ category: 'Account' }, { category: 'Account', commands: { Audit: false } }])(
    'is refused where there are none: %j',
    (target) => {
      expect(() => checkCommand(target, 'Deposit', {})).toThrow(isInvalid(/it has none/));
    },
  );
});

describe('a command that is sent', () => {
  it('is checked by the list, where there is one', () => {
    expect(checkCommandToSend(account, 'Deposit', {})).toEqual({ amount: 1 });
    expect(() => checkCommandToSend(account, 'Refund', {})).toThrow(InvalidArgumentError);
  });

  it('is JSON and nothing else, where only the category is known', () => {
    const category = { category: 'Account' };
    expect(checkCommandToSend(category, 'Refund', { any: 'thing' })).toEqual({ any: 'thing' });
    expect(checkCommandToSend(category, 'Refund', undefined)).toBeUndefined();
    expect(() => checkCommandToSend(category, 'Refund', { at: new Date(0) })).toThrow(
      isInvalid(/payload\.at/),
    );
  });
});
