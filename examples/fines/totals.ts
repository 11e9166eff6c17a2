import type { RecordedEvent } from 'temporal-event-store';
import type { Cents, FineEvent } from './fine-event.js';

interface YearTotals {
  /** Created in this year. */
  readonly fines: number;
  readonly fined: Cents;
  /** Received in this year. */
  readonly payments: number;
  readonly paid: Cents;
}

/** By year, `2006`. */
export type Totals = Readonly<Record<string, YearTotals>>;

/** The events that the totals are made of. */
export const countedTypes: readonly FineEvent['type'][] = [
  'FineCreated',
  'PaymentReceived',
  'IrregularityRecorded',
];

/** Totals and one event more. They grow with the years, not with the events. */
export function addToTotals(totals: Totals, { type, data }: RecordedEvent<FineEvent>): Totals {
  const year = data.on.slice(0, 4);
  const { fines, fined, payments, paid } = totals[year] ?? { fines: 0, fined: 0, payments: 0, paid: 0 };
  switch (type) {
    case 'FineCreated':
      return { ...totals, [year]: { fines: fines + 1, fined: fined + data.amount, payments, paid } };
    case 'PaymentReceived':
      return { ...totals, [year]: { fines, fined, payments: payments + 1, paid: paid + data.amount } };
    case 'IrregularityRecorded': {
      // Money that came against the rules has come.
      if (data.command !== 'pay') return totals;
      const { amount } = data.payload as { readonly amount: Cents };
      return { ...totals, [year]: { fines, fined, payments: payments + 1, paid: paid + amount } };
    }
    default:
      return totals;
  }
}
