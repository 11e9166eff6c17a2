import { activityInfo, getClient } from '@temporalio/activity';
import type { EventStore } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import type { ReadModelDatabase } from '../../read-model-database.js';
import type { PaymentPage, PaymentQuery } from '../read-models/find-payments.js';
import { PaymentReader } from '../read-models/payment-reader.js';

export interface PaymentSearchActivities {
  findPayments(query: PaymentQuery): Promise<PaymentPage>;
  countPayments(): Promise<number>;
}

/** What the search workflow reads with, on a worker that also runs the projections. */
export function createPaymentSearchActivities(options: {
  readonly store: EventStore;
  readonly readModels: ReadModelDatabase;
}): PaymentSearchActivities {
  const { store, readModels } = options;
  const openReader = (): PaymentReader => {
    const projections = new ProjectionClient({ client: getClient(), taskQueue: activityInfo().taskQueue });
    return new PaymentReader({ store, client: readModels.client, projections });
  };
  return {
    findPayments: (query) => openReader().payments(query),
    countPayments: () => openReader().count(),
  };
}
