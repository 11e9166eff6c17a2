import {
  AggregateRoot,
  defineDecision,
  DomainError,
  InvalidArgumentError,
  type Decided,
  type Decider,
  type DomainEvent,
} from 'temporal-event-store';
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
import { capacity, enrol, enrolled } from '../fixtures/courses.js';

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

  it('looks at type and data only, and at tags that are expected', async () => {
    const tagged = { ...deposited(5), tags: ['eu', 'vip'], metadata: { actor: 'ann' } };
    const spec = given({ ...account, decide: () => [tagged] }, []).when(deposit);
    await spec.then([deposited(5)]);
    await spec.then([{ ...deposited(5), tags: ['vip', 'eu'] }]);
    await expect(spec.then([{ ...deposited(5), tags: ['eu'] }])).rejects.toThrow(
      'Deposited {"amount":5} tagged eu\nbut got\n  Deposited {"amount":5} tagged eu, vip',
    );
    await expect(spec.then([{ ...deposited(5), tags: [] }])).rejects.toThrow('but got');
    const untagged = given(account, []).when(deposit);
    await untagged.then([{ ...deposited(5), tags: [] }]);
    await expect(untagged.then([{ ...deposited(5), tags: ['eu'] }])).rejects.toThrow('but got');
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

describe('a specification of a decision', () => {
  const full = { reason: 'COURSE_FULL' };
  const command = { course: 'c1', student: 'ann' };

  it('folds what the filter takes for the command, whatever its stream', async () => {
    const events = [capacity('c1', 1), { ...enrolled('c2', 'bob'), streamId: 'Enrolment-2' }];
    await given(enrol, events)
      .when(command)
      .then([enrolled('c1', 'ann')]);
    await given(enrol, [...events, enrolled('c1', 'eve')])
      .when(command)
      .then(full);
    await given(enrol, [capacity('c1', 1), enrolled('c1', 'ann')])
      .when(command)
      .then([]);
  });

  it('shows a filter that is wrong, and events without their tags', async () => {
    const wrong = { ...enrol, filter: () => ({ types: ['CapacityChanged' as const] }) };
    await given(wrong, [capacity('c1', 1), enrolled('c1', 'eve')])
      .when(command)
      .then([enrolled('c1', 'ann')]);
    const { tags: _, ...untagged } = capacity('c1', 1);
    await given(enrol, [untagged]).when(command).then(full);
    const forgetful = given(
      { ...enrol, decide: () => [{ ...enrolled('c1', 'ann'), tags: ['course:c1'] }] },
      [],
    );
    await expect(forgetful.when(command).then([enrolled('c1', 'ann')])).rejects.toThrow(
      'tagged course:c1, student:ann\nbut got\n  Enrolled {"course":"c1","student":"ann"} tagged course:c1',
    );
  });

  it('gives events the home stream of the command, unless they name another', async () => {
    const streams: string[] = [];
    const watching: typeof enrol = {
      ...enrol,
      evolve: (state, event, each) => {
        streams.push(event.streamId);
        return enrol.evolve(state, event, each);
      },
    };
    await given(watching, [capacity('c1', 5), { ...enrolled('c1', 'eve'), streamId: 'Enrolment-2' }])
      .when(command)
      .then([enrolled('c1', 'ann')]);
    expect(streams).toEqual(['Enrolment-c1-ann', 'Enrolment-2']);
  });

  it('fails with what was expected and what happened', async () => {
    const spec = given(enrol, [capacity('c1', 1)]).when(command);
    await expect(spec.then([enrolled('c1', 'eve')])).rejects.toThrow(
      'Expected the events\n  Enrolled {"course":"c1","student":"eve"} tagged course:c1, student:eve\nbut got\n  Enrolled {"course":"c1","student":"ann"} tagged course:c1, student:ann',
    );
    await expect(spec.then(DomainError)).rejects.toThrow('Expected an error, but got the events');
    await expect(given(enrol, []).when(command).then([])).rejects.toMatchObject(full);
    await expect(Promise.resolve(spec)).rejects.toThrow('expects nothing yet');
  });

  it('fails with what the decision is refused for', async () => {
    await given({ ...enrol, home: () => '' }, [])
      .when(command)
      .then(InvalidArgumentError);
    await given({ ...enrol, filter: () => [] }, [])
      .when(command)
      .then(/empty list of filters/);
  });
});

describe('a specification of a command that appends to several streams', () => {
  class Sender extends AggregateRoot<AccountEvent> {
    static readonly category = 'Account';
    send(): void {
      this.alsoAppend({ streamId: 'Account-2', events: [deposited(5)] });
      this.raise(withdrawn(5));
    }
    protected apply(): void {
      // Nothing to remember.
    }
  }
  const sent: Decided<AccountEvent> = [{ streamId: 'Account-2', events: [deposited(5)] }, withdrawn(5)];
  const send = (events: readonly AccountEvent[]): readonly [string, Then<AccountEvent>][] => [
    [
      'an aggregate',
      given(Sender, events).when((each) => {
        each.send();
      }),
    ],
    ['a decider', given({ ...account, decide: () => sent }, events).when(deposit)],
    [
      'a decision',
      given(
        defineDecision({
          name: 'send',
          home: (_command: null) => 'Account-1',
          filter: () => ({}),
          initialState: () => null,
          evolve: (_state, _event: AccountEvent) => null,
          decide: () => sent,
        }),
        events,
      ).when(null),
    ],
  ];

  it.each(send([]))('of %s expects them in their order, its own first', async (_of, spec) => {
    await spec.then([withdrawn(5), deposited(5)]);
  });

  it.each(send([]))('of %s compares streams that are named', async (_of, spec) => {
    await spec.then([
      { ...withdrawn(5), streamId: 'Account-1' },
      { ...deposited(5), streamId: 'Account-2' },
    ]);
    const elsewhere = spec.then([withdrawn(5), { ...deposited(5), streamId: 'Account-3' }]);
    await expect(elsewhere).rejects.toThrow(
      'Deposited {"amount":5} in Account-3\nbut got\n  Withdrawn {"amount":5}\n  Deposited {"amount":5} in Account-2',
    );
    await expect(spec.then([withdrawn(5)])).rejects.toThrow('but got');
  });

  it('fails when its own stream gets nothing', async () => {
    const decide = (): Decided<AccountEvent> => sent.slice(0, 1);
    await given({ ...account, decide }, [])
      .when(deposit)
      .then(/must first append to 'Account-1'/);
  });
});
