import type { Client } from '@temporalio/client';
import type { EventStore, RecordedEvent, StoreCapabilities } from 'temporal-event-store';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { PaymentDetails } from '../../../examples/payment/domain/payment-event.js';
import {
  PaymentReader,
  startPaymentProjections,
} from '../../../examples/payment/read-models/payment-reader.js';
import { readModelsBeside, type ReadModelDatabase } from '../../../examples/read-model-database.js';
import { openPGliteStore } from '../../support/pglite.js';
import { connectClient, uniqueName } from '../../support/temporal.js';
import { startPaymentWorker } from './payment-worker.js';

export interface PaymentService {
  readonly client: Client;
  readonly taskQueue: string;
  readonly store: EventStore & StoreCapabilities;
  readonly readModels: ReadModelDatabase;
  readonly projections: ProjectionClient;
  readonly payments: AggregateClient<typeof PaymentAggregate>;
  readonly reader: PaymentReader;
  readonly published: RecordedEvent[];
  readonly stop: () => Promise<void>;
}

/** The payment service with its projections, on an embedded store. */
export async function startEmbeddedService(): Promise<PaymentService> {
  const store = await openPGliteStore();
  const service = await startPaymentService(store, readModelsBeside(store));
  return {
    ...service,
    stop: async () => {
      await service.stop();
      await store.close();
    },
  };
}

/** The payment service with its projections, on a store that stays the caller's to close. */
export async function startPaymentService(
  store: EventStore & StoreCapabilities,
  readModels: ReadModelDatabase,
): Promise<PaymentService> {
  const taskQueue = uniqueName('payments');
  const client = await connectClient();
  const published: RecordedEvent[] = [];
  const stop = await startPaymentWorker({
    taskQueue,
    store,
    readModels,
    publisher: { publish: async (events) => void published.push(...events) },
  });
  const projections = new ProjectionClient({ client, taskQueue });
  await startPaymentProjections(projections);
  return {
    client,
    taskQueue,
    store,
    readModels,
    projections,
    payments: new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue }),
    reader: new PaymentReader({ store, client: readModels.client, projections, timeout: 30_000 }),
    published,
    stop,
  };
}

/** Of a payment to an organisation. */
export function details(organizationId: string, minorUnits = 10_000, currency = 'EUR'): PaymentDetails {
  return { organizationId, amount: { minorUnits, currency }, description: 'Test payment' };
}
