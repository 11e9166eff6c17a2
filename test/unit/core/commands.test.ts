import { InvalidArgumentError, type StandardSchema } from 'temporal-event-store';
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

function refusalOf(target: CommandTarget, payload: unknown): unknown {
  try {
    return checkCommand(target, 'Place', payload);
  } catch (error) {
    return error;
  }
}

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

  it('is refused with all that its schema finds', () => {
    const order: CommandTarget = {
      category: 'Order',
      commands: { Place: z.object({ note: z.string(), lines: z.array(z.number()) }) },
    };
    expect(refusalOf(order, { lines: [1, 'two'] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /^The payload of the command 'Place' of Order does not fit its schema: .* \(at payload\.note\); .* \(at payload\.lines\[1\]\)\.$/,
      ) as unknown,
      issues: [{ path: 'payload.note' }, { path: 'payload.lines[1]' }],
    });
  });

  it('is refused with the first ten of many issues, and their number, each no longer than a line or two', () => {
    const wrong = (count: number, message = 'Wrong'): StandardSchema => ({
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({
          issues: Array.from({ length: count }, (_, index) => ({ message, path: ['lines', index] })),
        }),
      },
    });
    const refusal = (schema: StandardSchema) =>
      refusalOf({ category: 'Order', commands: { Place: schema } }, {}) as InvalidArgumentError;

    const ten = refusal(wrong(10));
    expect(ten.issues).toHaveLength(10);
    expect(ten.moreIssues).toBeUndefined();
    expect(ten.message).toMatch(/\(at payload\.lines\[9\]\)\.$/);

    const many = refusal(wrong(1_000, 'x'.repeat(1_000)));
    expect(many.issues?.at(-1)).toEqual({ path: 'payload.lines[9]', message: `${'x'.repeat(300)}…` });
    expect(many.moreIssues).toBe(990);
    expect(many.message).toMatch(/; and 990 more\.$/);
    expect(many.message.length).toBeLessThan(4_000);
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
