import { fileURLToPath } from 'node:url';
import type { StoreCapabilities } from 'temporal-event-store';
import { onTestFinished } from 'vitest';
import type { FineStore } from '../../../examples/fines/activities.js';
import { createFineWorker } from '../../../examples/fines/worker.js';
import { runWorker, uniqueName } from '../../support/temporal.js';

const workflowsPath = fileURLToPath(new URL('../../../examples/fines/workflows.ts', import.meta.url));

/** A worker for one test; returns its task queue. */
export async function useFineWorker(store: FineStore & Partial<StoreCapabilities>): Promise<string> {
  const taskQueue = uniqueName('fines');
  onTestFinished(
    await runWorker(workflowsPath, (worker) => createFineWorker({ ...worker, taskQueue, store })),
  );
  return taskQueue;
}
