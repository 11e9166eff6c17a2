import { streamId, type AppendResult, type EventMetadata, type EventToAppend } from 'temporal-event-store';
import { proxyEventPublisher, proxyRepository } from 'temporal-event-store/workflow';
import { eventStoreAppend } from 'temporal-event-store/workflows';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';

export interface PersistPayment {
  readonly paymentId: string;
  readonly events: readonly EventToAppend<PaymentEvent>[];
  /** Of the payment before these events. */
  readonly expectedVersion: number;
  /** Makes it exactly-once. */
  readonly commitId: string;
  readonly metadata?: EventMetadata;
}

export interface DeletePayment {
  readonly paymentId: string;
  readonly reason: string;
  /** Makes it exactly-once. */
  readonly commandId: string;
}

const payments = proxyRepository(PaymentAggregate);
const publisher = proxyEventPublisher();

/** Stores what happened to a payment, then publishes it. */
export async function persistPayment(input: PersistPayment): Promise<AppendResult> {
  const { paymentId, events, expectedVersion, commitId, metadata } = input;
  return eventStoreAppend({
    streamId: streamId(PaymentAggregate.category, paymentId),
    events,
    options: { expectedVersion, commitId, ...(metadata !== undefined && { metadata }) },
  });
}

/** Ends a payment: no query finds it any more, and its events stay. @returns the version of `PaymentDeleted` */
export async function deletePayment({ paymentId, reason, commandId }: DeletePayment): Promise<number> {
  const { version } = await payments.execute(
    paymentId,
    (payment) => {
      payment.delete({ reason });
    },
    { commandId, metadata: { causationId: commandId } },
  );
  await publisher.publish({
    streamId: streamId(PaymentAggregate.category, paymentId),
    fromVersion: version,
    toVersion: version,
  });
  return version;
}
