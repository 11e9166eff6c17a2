import type { RecordedEvent } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import type { FineEvent } from '../../../examples/fines/fine-event.js';
import { describeIrregularities, formatTotals } from '../../../examples/fines/report.js';
import { addToTotals, type Totals } from '../../../examples/fines/totals.js';

const created = (on: string, amount: number): FineEvent => ({
  type: 'FineCreated',
  data: { on, amount, article: null, points: 0 },
});
const paid = (on: string, amount: number): FineEvent => ({ type: 'PaymentReceived', data: { on, amount } });
const irregular = (on: string, command: string): FineEvent => ({
  type: 'IrregularityRecorded',
  data: { on, command, payload: { on, amount: 7_00 }, rule: 'TOO_EARLY' },
});

function totalsOf(events: readonly FineEvent[]): Totals {
  return events.reduce<Totals>((totals, event) => addToTotals(totals, event as RecordedEvent<FineEvent>), {});
}

describe('the totals of fines', () => {
  it('are counts and amounts by year', () => {
    const events = [
      created('2006-12-31', 10_00),
      created('2006-01-01', 20_00),
      paid('2006-02-01', 5_00),
      paid('2007-01-01', 6_00),
      paid('2007-01-02', 7_00),
    ];
    expect(totalsOf(events)).toEqual({
      2006: { fines: 2, fined: 30_00, payments: 1, paid: 5_00 },
      2007: { fines: 0, fined: 0, payments: 2, paid: 13_00 },
    });
  });

  it('count money that came against the rules, and nothing else that did', () => {
    const events = [
      irregular('2006-01-01', 'pay'),
      irregular('2006-01-02', 'pay'),
      irregular('2006-01-03', 'send'),
    ];
    expect(totalsOf(events)).toEqual({ 2006: { fines: 0, fined: 0, payments: 2, paid: 14_00 } });
  });

  it('pass over what is no money', () => {
    expect(totalsOf([{ type: 'FineNotified', data: { on: '2006-01-01' } }])).toEqual({});
  });

  it('are a table, the years in order', () => {
    const table = formatTotals({
      '0999': { fines: 1, fined: 0, payments: 0, paid: 0 },
      later: { fines: 1_234, fined: 123_456_78, payments: 0, paid: 0 },
      2006: { fines: 1, fined: 0, payments: 2_000, paid: 5 },
    });
    expect(table.split('\n')).toEqual([
      '   Year  Fines       Amount  Payments  Amount',
      '   0999      1        €0.00         0   €0.00',
      '   2006      1        €0.00     2,000   €0.05',
      '  later  1,234  €123,456.78         0   €0.00',
    ]);
  });
});

describe('what was against the rules', () => {
  it.each([
    [0, ['Against the rules, and recorded as such: 0']],
    [1, ['Against the rules, and recorded as such: 1', '  2006-01-01  1  send: TOO_EARLY']],
    [
      2,
      [
        'Against the rules, and recorded as such: 2',
        '  2006-01-01  1  send: TOO_EARLY',
        '  2006-01-01  2  send: TOO_EARLY',
      ],
    ],
    [
      3,
      [
        'Against the rules, and recorded as such: 3',
        '  2006-01-01  1  send: TOO_EARLY',
        '  2006-01-01  2  send: TOO_EARLY',
        '  …',
      ],
    ],
  ])('is counted, and the first two of %i are shown', async (count, lines) => {
    const store = new MemoryEventStore();
    for (let fine = 1; fine <= count; fine++) {
      await store.appendToStream(`Fine-${fine}`, [
        { ...created('2006-01-01', 1), tags: ['log:a'] },
        { ...irregular('2006-01-01', 'send'), tags: ['log:a'] },
      ]);
    }
    await store.appendToStream('Fine-9', [{ ...irregular('2006-01-01', 'send'), tags: ['log:b'] }]);
    expect((await describeIrregularities(store, 'log:a', 2)).split('\n')).toEqual(lines);
  });
});
