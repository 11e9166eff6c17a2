import { isEventStoreError } from 'temporal-event-store';
import type { AggregateClient } from 'temporal-event-store/client';
import type { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentResult, ProcessPayment } from './payment-command.js';

/** Sends the command to the lane of its payment, from any service with a Temporal client, and waits for what it led to. */
export async function sendPayment(
  payments: AggregateClient<typeof PaymentAggregate>,
  command: ProcessPayment,
): Promise<PaymentResult> {
  const { commandId, correlationId, paymentId, organizationId, userId, amount, description } = command;
  try {
    const { version, deduplicated } = await payments.execute(
      paymentId,
      'process',
      { organizationId, amount, description },
      { commandId, metadata: { correlationId, actor: userId } },
    );
    return { success: true, version, deduplicated };
  } catch (error) {
    if (isEventStoreError(error, 'DOMAIN_ERROR')) return { success: false, reason: error.message };
    throw error;
  }
}
