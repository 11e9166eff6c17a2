import { fileURLToPath } from 'node:url';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import type { EventPublisher } from 'temporal-event-store/activities';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { PaymentAggregate } from './domain/payment-aggregate.js';

export interface PaymentWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly store: EventStore & Partial<StoreCapabilities>;
  readonly publisher: EventPublisher;
}

/** The worker of the payment service: its own workflows, and the event store's activities by the plugin. */
export async function createPaymentWorker({
  store,
  publisher,
  ...worker
}: PaymentWorkerOptions): Promise<Worker> {
  return Worker.create({
    ...worker,
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    plugins: [new EventStorePlugin({ store, publisher, aggregates: [PaymentAggregate] })],
  });
}
