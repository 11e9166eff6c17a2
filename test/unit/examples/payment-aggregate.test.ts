import { given } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';

const euro = (minorUnits: number): { minorUnits: number; currency: string } => ({
  minorUnits,
  currency: 'EUR',
});
const details = { organizationId: 'org-456', amount: euro(10_000), description: 'Invoice 7' };
const reason = 'as the customer wished';
const initiated: PaymentEvent = { type: 'PaymentInitiated', data: details };
const authorised: PaymentEvent = { type: 'PaymentAuthorised', data: { authorisationId: 'a-1' } };
const processed: PaymentEvent = { type: 'PaymentProcessed', data: details };
const completed: PaymentEvent = { type: 'PaymentCompleted', data: {} };
const failed: PaymentEvent = { type: 'PaymentFailed', data: { reason } };
const cancelled: PaymentEvent = { type: 'PaymentCancelled', data: { reason } };
const deleted: PaymentEvent = { type: 'PaymentDeleted', data: { reason } };
const refunded = (minorUnits: number): PaymentEvent => ({
  type: 'PaymentRefunded',
  data: { amount: euro(minorUnits), reason },
});

type Command = Exclude<keyof typeof PaymentAggregate.commands, 'recordNotification'>;
const run: Record<Command, (payment: PaymentAggregate) => void> = {
  initiate: (payment) => {
    payment.initiate(details);
  },
  authorise: (payment) => {
    payment.authorise({ authorisationId: 'a-1' });
  },
  capture: (payment) => {
    payment.capture();
  },
  process: (payment) => {
    payment.process(details);
  },
  complete: (payment) => {
    payment.complete();
  },
  fail: (payment) => {
    payment.fail({ reason });
  },
  cancel: (payment) => {
    payment.cancel({ reason });
  },
  refund: (payment) => {
    payment.refund({ amount: euro(10_000), reason });
  },
  delete: (payment) => {
    payment.delete({ reason });
  },
};

/** For each status how it comes about, and all that may follow. */
const life: Record<string, [PaymentEvent[], Partial<Record<Command, PaymentEvent>>]> = {
  new: [[], { initiate: initiated, process: processed }],
  initiated: [[initiated], { authorise: authorised, fail: failed, cancel: cancelled }],
  authorised: [[initiated, authorised], { capture: processed, fail: failed, cancel: cancelled }],
  processed: [
    [initiated, authorised, processed],
    { complete: completed, fail: failed, refund: refunded(10_000), delete: deleted },
  ],
  completed: [[processed, completed], { refund: refunded(10_000), delete: deleted }],
  failed: [[initiated, failed], { delete: deleted }],
  cancelled: [[initiated, cancelled], { delete: deleted }],
  refunded: [[processed, refunded(10_000)], { delete: deleted }],
  deleted: [[processed, deleted], {}],
};
const cases = Object.entries(life).flatMap(([status, [history, allowed]]) =>
  (Object.keys(run) as Command[]).map((command) => ({ status, history, command, event: allowed[command] })),
);

describe('a payment that is', () => {
  it.each(cases)('$status, told to $command', async ({ status, history, command, event }) => {
    expect(PaymentAggregate.fromEvents('1', history.map(recorded)).status).toBe(status);
    await given(PaymentAggregate, history)
      .when(run[command])
      .then(event === undefined ? { reason: status === 'new' ? 'NOT_FOUND' : 'NOT_ALLOWED' } : [event]);
  });
});

describe('a payment', () => {
  it.each([
    ['zero', euro(0), 'INVALID_AMOUNT'],
    ['less than zero', euro(-1), 'INVALID_AMOUNT'],
    ['a fraction of a cent', euro(0.5), 'INVALID_AMOUNT'],
    ['more than is counted exactly', euro(2 ** 53), 'INVALID_AMOUNT'],
    ['an unknown currency', { minorUnits: 1, currency: 'ABC' }, 'INVALID_CURRENCY'],
    ['no currency', { minorUnits: 1, currency: 'XXX' }, 'INVALID_CURRENCY'],
    ['the currency for tests', { minorUnits: 1, currency: 'XTS' }, 'INVALID_CURRENCY'],
  ])('of %s is refused', async (_what, amount, code) => {
    for (const begin of ['initiate', 'process'] as const) {
      await given(PaymentAggregate, [])
        .when((payment) => {
          payment[begin]({ ...details, amount });
        })
        .then({ reason: code });
    }
  });

  it('is refunded in parts, never more than was paid', async () => {
    const refund =
      (minorUnits: number, currency = 'EUR') =>
      (payment: PaymentAggregate) => {
        payment.refund({ amount: { minorUnits, currency }, reason });
      };
    const history = [processed, completed, refunded(4_000)];
    await given(PaymentAggregate, history)
      .when(refund(6_000))
      .then([refunded(6_000)]);
    await given(PaymentAggregate, history)
      .when(refund(6_001))
      .then({ reason: 'REFUND_TOO_LARGE', details: { left: 6_000 } });
    await given(PaymentAggregate, history).when(refund(1, 'USD')).then({ reason: 'CURRENCY_MISMATCH' });
    await given(PaymentAggregate, history).when(refund(0)).then({ reason: 'INVALID_AMOUNT' });
    expect(PaymentAggregate.fromEvents('1', history.map(recorded))).toMatchObject({
      status: 'completed',
      refunded: 4_000,
    });
  });

  it('says in which status it refuses a command', async () => {
    await given(PaymentAggregate, [processed, deleted])
      .when(run.refund)
      .then({ reason: 'NOT_ALLOWED', details: { status: 'deleted' } });
  });

  it('tags each of its events with its organisation', () => {
    const payment = new PaymentAggregate('1');
    payment.initiate(details);
    payment.authorise({ authorisationId: 'a-1' });
    payment.capture();
    payment.complete();
    payment.recordNotification({ channel: 'email', outcome: 'sent' });
    payment.refund({ amount: euro(1), reason });
    payment.delete({ reason });
    expect(payment.uncommittedEvents.map(({ tags }) => tags)).toEqual(
      Array.from({ length: 7 }, () => ['organization:org-456']),
    );
  });

  it('keeps how notifications went, and stays what it was', async () => {
    const outcome = { channel: 'email', outcome: 'failed', reason: 'no such mailbox' } as const;
    const notified: PaymentEvent = { type: 'PaymentNotified', data: outcome };
    const notify = (payment: PaymentAggregate): void => {
      payment.recordNotification(outcome);
    };
    await given(PaymentAggregate, [processed]).when(notify).then([notified]);
    await given(PaymentAggregate, []).when(notify).then({ reason: 'NOT_FOUND' });
    expect(PaymentAggregate.fromEvents('1', [processed, notified].map(recorded)).status).toBe('processed');
  });
});

function recorded<E extends PaymentEvent>(event: E): E & { occurredAt: string } {
  return { ...event, occurredAt: '2024-01-01T00:00:00.000Z' };
}
