import type { Money } from '../domain/money.js';
import type { PaymentStatus } from '../domain/payment-aggregate.js';

interface PaymentTotals {
  readonly payments: number;
  /** In minor units. */
  readonly amount: number;
  /** Of the amount, in minor units. */
  readonly refunded: number;
}

/** By status, then by currency. */
export type PaymentReport = Readonly<Partial<Record<PaymentStatus, Readonly<Record<string, PaymentTotals>>>>>;

/** The report of one payment. */
export function reportOf(payment: {
  readonly status: PaymentStatus;
  readonly amount: Money;
  readonly refunded: number;
}): PaymentReport {
  const { status, amount, refunded } = payment;
  // One that had not begun, or is gone from every query.
  if (status === 'new' || status === 'deleted') return {};
  return { [status]: { [amount.currency]: { payments: 1, amount: amount.minorUnits, refunded } } };
}

export function addReports(one: PaymentReport, other: PaymentReport): PaymentReport {
  const statuses = [...new Set([...Object.keys(one), ...Object.keys(other)])] as PaymentStatus[];
  return Object.fromEntries(
    statuses.map((status) => [status, addCurrencies(one[status] ?? {}, other[status] ?? {})]),
  );
}

type ByCurrency = Readonly<Record<string, PaymentTotals>>;

function addCurrencies(one: ByCurrency, other: ByCurrency): ByCurrency {
  const currencies = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const nothing: PaymentTotals = { payments: 0, amount: 0, refunded: 0 };
  return Object.fromEntries(
    currencies.map((currency) => {
      const [a, b] = [one[currency] ?? nothing, other[currency] ?? nothing];
      return [
        currency,
        {
          payments: a.payments + b.payments,
          amount: a.amount + b.amount,
          refunded: a.refunded + b.refunded,
        },
      ];
    }),
  );
}
