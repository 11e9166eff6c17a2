import { DomainError, InvalidArgumentError, type Decider, type DomainEvent } from 'temporal-event-store';
import { given, type Expectation, type Then } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import {
  Account,
  account,
  closed,
  deposited,
  withdrawn,
  type AccountCommand,
  type AccountEvent,
} from '../fixtures/account.js';

function run(each: Account, command: AccountCommand): void {
  if (command.type === 'Deposit') each.deposit(command.data.amount);
  else if (command.type === 'Withdraw') each.withdraw(command.data.amount);
  else each.close(command.data.reason);
}

const slowAccount: typeof account = {
  ...account,
  decide: async (...args) => {
    await Promise.resolve();
    return account.decide(...args);
  },
};

/** The same account as a class and as a decider. */
const subjects: readonly {
  readonly kind: string;
  readonly when: (events: readonly AccountEvent[], command: AccountCommand) => Then<AccountEvent>;
}[] = [
  {
    kind: 'an aggregate',
    when: (events, command) =>
      given(Account, events).when((each) => {
        run(each, command);
      }),
  },
  {
    kind: 'an aggregate with asynchronous commands',
    when: (events, command) =>
      given(Account, events).when(async (each) => {
        await Promise.resolve();
        run(each, command);
      }),
  },
  { kind: 'a decider', when: (events, command) => given(account, events).when(command) },
  {
    kind: 'a decider that decides asynchronously',
    when: (events, command) => given(slowAccount, events).when(command),
  },
];

const deposit: AccountCommand = { type: 'Deposit', data: { amount: 5 } };
const withdraw: AccountCommand = { type: 'Withdraw', data: { amount: 7 } };
const close: AccountCommand = { type: 'Close', data: { reason: 'done' } };

describe.each(subjects)('a specification of $kind', ({ when }) => {
  it('passes with the events that the command leads to', async () => {
    await when([deposited(5)], deposit).then([deposited(5)]);
    await when([deposited(5), deposited(2)], withdraw).then([withdrawn(7)]);
  });

  it('passes with no events where nothing happens', async () => {
    await when([closed()], close).then([]);
  });

  it.each<[string, Expectation<AccountEvent>]>([
    ['its class', DomainError],
    ['a class above it', Error],
    ['its message', /does not cover/],
    ['its fields', { code: 'DOMAIN_ERROR', reason: 'INSUFFICIENT_FUNDS', details: { balance: 5 } }],
  ])('passes with the error, by %s', async (_by, expected) => {
    await when([deposited(5)], withdraw).then(expected);
  });

  it('fails with what was expected and what happened', async () => {
    await expect(when([], deposit).then([deposited(6), closed()])).rejects.toThrow(
      [
        'Expected the events',
        '  Deposited {"amount":6}',
        '  Closed {"reason":"moved away"}',
        'but got',
        '  Deposited {"amount":5}',
      ].join('\n'),
    );
  });

  it.each([
    ['too few', [], /Expected the events\n {2}none\nbut got\n {2}Deposited/],
    ['too many', [deposited(5), deposited(5)], /Expected the events/],
    ['of another type', [withdrawn(5)], /Expected the events\n {2}Withdrawn/],
    ['with other data', [deposited(6)], /Deposited {"amount":6}\nbut got\n {2}Deposited {"amount":5}/],
  ])('fails when %s events are expected', async (_what, expected, message) => {
    await expect(when([], deposit).then(expected)).rejects.toThrow(message);
  });

  it('fails with the events, when an error was expected', async () => {
    await expect(when([], deposit).then(DomainError)).rejects.toThrow(
      'Expected an error, but got the events\n  Deposited {"amount":5}',
    );
    await expect(when([closed()], close).then(/closed/)).rejects.toThrow('but got the events\n  none');
  });

  it('fails with the error itself, when events were expected', async () => {
    await expect(when([], withdraw).then([withdrawn(7)])).rejects.toMatchObject({
      code: 'DOMAIN_ERROR',
      reason: 'INSUFFICIENT_FUNDS',
    });
  });

  it.each<[string, Expectation<AccountEvent>]>([
    ['class', InvalidArgumentError],
    ['message', /frozen/],
    ['field', { reason: 'ACCOUNT_FROZEN' }],
    ['field of many', { code: 'DOMAIN_ERROR', details: { balance: 1 } }],
  ])(
    'fails when an error of another %s was expected, and shows the one that came',
    async (_what, expected) => {
      await expect(when([], withdraw).then(expected)).rejects.toMatchObject({
        message: expect.stringMatching(/^Expected another error than: DomainError: The balance/) as unknown,
        cause: { reason: 'INSUFFICIENT_FUNDS' },
      });
    },
  );
});

describe('a specification', () => {
  it('compares data as JSON: the order of keys and undefined properties do not matter', async () => {
    const box: Decider<null, null, DomainEvent> = {
      category: 'Box',
      initialState: () => null,
      evolve: () => null,
      decide: () => [{ type: 'Moved', data: { to: 'b', from: { floor: 1, room: 2 }, note: undefined } }],
    };
    await given(box, [])
      .when(null)
      .then([{ type: 'Moved', data: { from: { room: 2, floor: 1 }, to: 'b' } }]);
  });

  it('looks at type and data only', async () => {
    const tagged = { ...deposited(5), tags: ['eu'], metadata: { actor: 'ann' } };
    await given({ ...account, decide: () => [tagged] }, [])
      .when(deposit)
      .then([deposited(5)]);
  });

  it('does not leave a rejection unhandled when its outcome is looked at late', async () => {
    const outcome = given(account, []).when(withdraw);
    await new Promise((resolve) => setImmediate(resolve));
    await outcome.then(DomainError);
  });

  it('shows an error that is no Error', async () => {
    const spec = given(Account, []).when(() => Promise.reject('a string')); // eslint-disable-line @typescript-eslint/prefer-promise-reject-errors
    await expect(spec.then(DomainError)).rejects.toThrow('Expected another error than: a string');
  });

  it.each([
    ['would pass', given(account, []).when(deposit)],
    ['would fail', given(account, []).when(withdraw)],
  ])('that is awaited without an expectation fails, where its command %s', async (_what, when) => {
    await expect(Promise.resolve(when)).rejects.toThrow(/expects nothing yet.*\.then\(\[…events\]\)/);
  });
});
