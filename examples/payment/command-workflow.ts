import { isEventStoreError, streamId } from 'temporal-event-store';
import { proxyEventPublisher, proxyRepository } from 'temporal-event-store/workflow';
import type { Money } from './money.js';
import { PaymentAggregate } from './payment-aggregate.js';

export interface ProcessPayment {
  /** The same for every repetition of this command: it makes the payment happen once. */
  readonly commandId: string;
  /** The same for all that belongs to one business case. */
  readonly correlationId: string;
  readonly paymentId: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly amount: Money;
  readonly description: string;
}

export type PaymentResult =
  | { readonly success: true; readonly version: number; readonly deduplicated: boolean }
  | { readonly success: false; readonly reason: string };

const payments = proxyRepository(PaymentAggregate);
const publisher = proxyEventPublisher();

/** Load, decide, append, publish. A business rule that says no is a result, not a failure. */
export async function processPayment(command: ProcessPayment): Promise<PaymentResult> {
  const { commandId, correlationId, paymentId, userId } = command;
  try {
    const { version, deduplicated } = await payments.execute(
      paymentId,
      (payment) => {
        payment.process(command.organizationId, command.amount, command.description);
      },
      { commandId, metadata: { correlationId, causationId: commandId, actor: userId } },
    );
    await publisher.publish({
      streamId: streamId(PaymentAggregate.category, paymentId),
      fromVersion: version,
      toVersion: version,
    });
    return { success: true, version, deduplicated };
  } catch (error) {
    if (isEventStoreError(error, 'DOMAIN_ERROR')) return { success: false, reason: error.message };
    throw error;
  }
}
