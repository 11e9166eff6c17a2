import { NativeConnection } from '@temporalio/worker';
import type { StoreCapabilities } from 'temporal-event-store';
import { inject, onTestFinished } from 'vitest';
import type { FineStore } from '../../../examples/fines/activities.js';
import { createFineWorker } from '../../../examples/fines/worker.js';
import { uniqueName } from '../../support/temporal.js';

/** A worker for one test; returns its task queue. */
export async function useFineWorker(store: FineStore & Partial<StoreCapabilities>): Promise<string> {
  const { address, namespace } = inject('temporal');
  const taskQueue = uniqueName('fines');
  const connection = await NativeConnection.connect({ address });
  const worker = await createFineWorker({ connection, namespace, taskQueue, store });
  const running = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await running;
    await connection.close();
  });
  return taskQueue;
}
