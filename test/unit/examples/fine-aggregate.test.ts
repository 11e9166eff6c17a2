import { given } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import { FineAggregate } from '../../../examples/fines/fine-aggregate.js';
import { give, toCents, type FineCommand } from '../../../examples/fines/fine-command.js';
import type { FineEvent } from '../../../examples/fines/fine-event.js';

const on = '2022-02-11';
const created = {
  type: 'FineCreated',
  data: { on, amount: 29_40, article: '7', points: 0 },
} as const satisfies FineEvent;
const sent: FineEvent = { type: 'FineSent', data: { on, expense: 12_50 } };
const notified: FineEvent = { type: 'FineNotified', data: { on } };
const penalty: FineEvent = { type: 'PenaltyAdded', data: { on, amount: 58_80 } };
const paid = (amount: number): FineEvent => ({ type: 'PaymentReceived', data: { on, amount } });

describe('a fine', () => {
  it.each<[string, FineEvent[], FineCommand, FineEvent]>([
    ['is paid before it is sent', [created], { name: 'pay', payload: { on, amount: 29_40 } }, paid(29_40)],
    [
      'is paid in parts',
      [created, sent, paid(10_00)],
      { name: 'pay', payload: { on, amount: 5_00 } },
      paid(5_00),
    ],
    ['takes more than is owed', [created, paid(29_40)], { name: 'pay', payload: { on, amount: 1 } }, paid(1)],
    [
      'is raised although a part is paid',
      [created, sent, notified, paid(41_89)],
      { name: 'addPenalty', payload: { on, amount: 58_80 } },
      penalty,
    ],
    [
      'is collected where the penalty is open',
      [created, sent, notified, paid(41_89), penalty],
      { name: 'collect', payload: { on } },
      { type: 'SentForCollection', data: { on } },
    ],
  ])('%s', async (_what, past, command, event) => {
    await given(FineAggregate, past)
      .when((fine) => {
        give(fine, command);
      })
      .then([event]);
  });

  it.each<[string, FineEvent[], FineCommand, string]>([
    ['created twice', [created], { name: 'create', payload: created.data }, 'ALREADY'],
    ['of nothing', [], { name: 'create', payload: { on, amount: 0, article: null, points: 0 } }, 'NO_AMOUNT'],
    ['sent before it is created', [], { name: 'send', payload: { on, expense: 0 } }, 'TOO_EARLY'],
    [
      'sent after it was paid',
      [created, paid(29_40)],
      { name: 'send', payload: { on, expense: 0 } },
      'PAID_IN_FULL',
    ],
    ['notified before it is sent', [created], { name: 'notify', payload: { on } }, 'TOO_EARLY'],
    [
      'lowered by a penalty',
      [created, sent, notified],
      { name: 'addPenalty', payload: { on, amount: 29_39 } },
      'PENALTY_TOO_LOW',
    ],
    [
      'raised after it was paid',
      [created, sent, notified, paid(41_90)],
      { name: 'addPenalty', payload: { on, amount: 58_80 } },
      'PAID_IN_FULL',
    ],
    [
      'collected without a penalty',
      [created, sent, notified],
      { name: 'collect', payload: { on } },
      'TOO_EARLY',
    ],
    ['paid before it is created', [], { name: 'pay', payload: { on, amount: 1 } }, 'TOO_EARLY'],
    ['paid with nothing', [created], { name: 'pay', payload: { on, amount: 0 } }, 'NO_AMOUNT'],
    [
      'decided without an appeal',
      [created, sent, notified],
      { name: 'receiveResult', payload: { on } },
      'TOO_EARLY',
    ],
    ['appealed before it is known', [created, sent], { name: 'appeal', payload: { on } }, 'TOO_EARLY'],
  ])('is not %s', async (_what, past, command, reason) => {
    await given(FineAggregate, past)
      .when((fine) => {
        give(fine, command);
      })
      .then({ reason });
  });
});

describe('the life of a fine', () => {
  const steps: readonly (readonly [FineCommand, FineEvent])[] = [
    [{ name: 'create', payload: created.data }, created],
    [{ name: 'send', payload: { on, expense: 12_50 } }, sent],
    [{ name: 'notify', payload: { on } }, notified],
    [
      { name: 'appeal', payload: { on } },
      { type: 'AppealFiled', data: { on } },
    ],
    [
      { name: 'sendAppeal', payload: { on } },
      { type: 'AppealSent', data: { on } },
    ],
    [
      { name: 'receiveResult', payload: { on } },
      { type: 'AppealDecided', data: { on } },
    ],
    [
      { name: 'notifyResult', payload: { on } },
      { type: 'AppealResultNotified', data: { on } },
    ],
    [
      { name: 'appealToJudge', payload: { on } },
      { type: 'AppealedToJudge', data: { on } },
    ],
    [{ name: 'addPenalty', payload: { on, amount: 58_80 } }, penalty],
    [
      { name: 'collect', payload: { on } },
      { type: 'SentForCollection', data: { on } },
    ],
  ];
  const events = steps.map(([, event]) => event);

  it.each(steps.map(([command, event], index) => [command.name, event.type, command, event, index] as const))(
    '%s leads to %s, once',
    async (_name, _type, command, event, index) => {
      const giveIt = (fine: FineAggregate): void => {
        give(fine, command);
      };
      await given(FineAggregate, events.slice(0, index)).when(giveIt).then([event]);
      await given(FineAggregate, events).when(giveIt).then({ reason: 'ALREADY' });
    },
  );

  it.each([
    ['notify', ['FineCreated']],
    ['addPenalty', ['FineCreated', 'FineSent']],
    ['sendAppeal', ['FineCreated', 'FineSent', 'FineNotified']],
    ['receiveResult', ['FineCreated', 'FineSent', 'FineNotified', 'AppealFiled']],
    ['notifyResult', ['FineCreated', 'FineSent', 'FineNotified', 'AppealFiled', 'AppealSent']],
    ['appealToJudge', ['FineCreated', 'FineSent']],
  ])('%s is too early after %j', async (name, types) => {
    const [command] = steps.find(([each]) => each.name === name)!;
    await given(
      FineAggregate,
      events.filter(({ type }) => types.includes(type)),
    )
      .when((fine) => {
        give(fine, command);
      })
      .then({ reason: 'TOO_EARLY' });
  });

  it('adds up to what is owed, what is paid and what was against the rules', () => {
    const fine = new FineAggregate('1');
    for (const [command] of steps) give(fine, command);
    fine.pay({ on, amount: 10_00 });
    fine.pay({ on, amount: 5_00 });
    fine.recordIrregularity({ on, command: 'send', payload: {}, rule: 'ALREADY' });
    expect(fine).toMatchObject({ amount: 58_80, expense: 12_50, paid: 15_00, irregularities: 1 });
    expect(fine.taken).toEqual([
      ...events.map(({ type }) => type),
      'PaymentReceived',
      'PaymentReceived',
      'IrregularityRecorded',
    ]);
  });

  it.each([
    ['raised to what it was', { name: 'addPenalty', payload: { on, amount: 29_40 } }],
    ['raised', { name: 'addPenalty', payload: { on, amount: 29_41 } }],
  ] as const)('can be %s', async (_what, command) => {
    await given(FineAggregate, [created, sent, notified])
      .when((fine) => {
        give(fine, command);
      })
      .then([{ type: 'PenaltyAdded', data: command.payload }]);
  });
});

describe('euros of a log', () => {
  it.each([
    ['33.6', 33_60],
    [33.6, 33_60],
    ['0.0', 0],
    ['1000', 1_000_00],
    ['7.290', 7_29],
    ['1.005', undefined],
    ['-1.0', undefined],
    ['1e3', undefined],
    ['', undefined],
    [undefined, undefined],
    [true, undefined],
    [['33.6'], undefined],
  ])('%s are %s cents', (euros, cents) => {
    expect(toCents(euros)).toBe(cents);
  });
});
