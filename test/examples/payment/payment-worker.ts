import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { inject, onTestFinished } from 'vitest';
import { createPaymentWorker } from '../../../examples/payment/worker.js';
import { connectClient, uniqueName } from '../../support/temporal.js';

/** A worker of the payment service for one test. */
export async function usePaymentWorker(
  store: EventStore & Partial<StoreCapabilities>,
): Promise<{ readonly client: Client; readonly taskQueue: string }> {
  const { address, namespace } = inject('temporal');
  const taskQueue = uniqueName('payments');
  const client = await connectClient();
  const connection = await NativeConnection.connect({ address });
  const publisher = { publish: () => Promise.resolve() };
  const worker = await createPaymentWorker({ connection, namespace, taskQueue, store, publisher });
  const running = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await running;
    await connection.close();
  });
  return { client, taskQueue };
}
