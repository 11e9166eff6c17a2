import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { onTestFinished } from 'vitest';
import { createPaymentWorker, type PaymentWorkerOptions } from '../../../examples/payment/worker.js';
import { connectClient, runWorker, uniqueName } from '../../support/temporal.js';

export const paymentWorkflows = fileURLToPath(
  new URL('../../../examples/payment/workflows.ts', import.meta.url),
);

/** A worker of the payment service that runs until the returned function is called. */
export async function startPaymentWorker(
  options: Omit<PaymentWorkerOptions, 'connection' | 'namespace'>,
): Promise<() => Promise<void>> {
  return runWorker(paymentWorkflows, (worker) => createPaymentWorker({ ...worker, ...options }));
}

/** A worker of the payment service for one test. */
export async function usePaymentWorker(
  store: EventStore & Partial<StoreCapabilities>,
): Promise<{ readonly client: Client; readonly taskQueue: string }> {
  const taskQueue = uniqueName('payments');
  const publisher = { publish: () => Promise.resolve() };
  onTestFinished(await startPaymentWorker({ taskQueue, store, publisher }));
  return { client: await connectClient(), taskQueue };
}
