import { proxyActivities } from '@temporalio/workflow';
import type { PaymentPage, PaymentQuery } from '../read-models/find-payments.js';
import type { PaymentSearchActivities } from './payment-search-activities.js';

const activities = proxyActivities<PaymentSearchActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
});

/** A page of payments, for a service without a database. It holds all that was stored when it was asked for. */
export async function searchPayments(query: PaymentQuery): Promise<PaymentPage> {
  return activities.findPayments(query);
}

/** How many payments there are. */
export async function countPayments(): Promise<number> {
  return activities.countPayments();
}
