import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { streamId } from 'temporal-event-store';
import { proxyEventStore, proxyRepository } from 'temporal-event-store/workflow';
import { PaymentAggregate, type PaymentStatus } from '../domain/payment-aggregate.js';
import type { ProcessActivities } from './process-activities.js';

export interface Compensation {
  readonly paymentId: string;
  /** First run of the workflow that began the payment. */
  readonly runId: string;
  /** How a payment ends that was not taken yet. */
  readonly ending: 'cancel' | 'fail';
  readonly reason: string;
}

// Until they succeed: money must not get stuck because a server was away.
const { refundPayment } = proxyActivities<ProcessActivities>({ startToCloseTimeout: '10 seconds' });
const store = proxyEventStore();
const payments = proxyRepository(PaymentAggregate);

/**
 * Gives back what the provider holds of a payment, then records it. A workflow of its own, for the deadline of the payment
 * is not its. It leaves alone a payment that this run didn't begin.
 *
 * @returns what became of the payment; `new` where the run began none
 */
export async function compensatePayment({
  paymentId,
  runId,
  ending,
  reason,
}: Compensation): Promise<PaymentStatus> {
  const stream = streamId(PaymentAggregate.category, paymentId);
  const [begin] = (await store.readStream(stream, { limit: 1 })).events;
  if (begin?.metadata.runId !== runId) return 'new';

  await refundPayment(paymentId);
  const { workflowId } = workflowInfo();
  const { correlationId } = begin.metadata;
  await payments.execute(
    paymentId,
    (payment) => {
      undo(payment, ending, reason);
    },
    { metadata: { workflowId, runId, ...(correlationId !== undefined && { correlationId }) } },
  );
  return (await payments.load(paymentId)).status;
}

function undo(payment: PaymentAggregate, ending: 'cancel' | 'fail', reason: string): void {
  const { status, amount, refunded } = payment;
  switch (status) {
    case 'initiated':
    case 'authorised':
      payment[ending]({ reason });
      return;
    case 'processed':
      payment.fail({ reason });
      return;
    case 'completed':
      payment.refund({ amount: { ...amount, minorUnits: amount.minorUnits - refunded }, reason });
      return;
    default:
      // It has ended in another way.
      return;
  }
}
