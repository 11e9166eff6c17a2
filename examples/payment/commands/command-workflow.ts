import { isEventStoreError, streamId } from 'temporal-event-store';
import { proxyEventPublisher, proxyRepository } from 'temporal-event-store/workflow';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentResult, ProcessPayment } from './payment-command.js';

const payments = proxyRepository(PaymentAggregate);
const publisher = proxyEventPublisher();

/** Load, decide, append, publish: for a command that is a part of more. */
export async function processPayment(command: ProcessPayment): Promise<PaymentResult> {
  const { commandId, correlationId, paymentId, organizationId, userId, amount, description } = command;
  try {
    const { version, deduplicated } = await payments.execute(
      paymentId,
      (payment) => {
        payment.process({ organizationId, amount, description });
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
