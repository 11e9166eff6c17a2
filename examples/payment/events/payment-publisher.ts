import { definePublisher, type EventPublisher } from 'temporal-event-store';
import { PaymentAggregate } from '../domain/payment-aggregate.js';

export const paymentPublisherName = 'payment-publisher';

/** Hands every event of every payment to a publisher, whoever appended it: a command, a workflow or an import. */
export function paymentPublisher(publisher: EventPublisher) {
  return definePublisher({
    name: paymentPublisherName,
    filter: { categories: [PaymentAggregate.category] },
    publisher,
  });
}
