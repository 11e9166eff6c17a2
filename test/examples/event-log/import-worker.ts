import { fileURLToPath } from 'node:url';
import { createAggregateActivities } from 'temporal-event-store/activities';
import { createImportActivities, type ImportStore } from '../../../examples/event-log/activities.js';
import { CaseAggregate } from '../../../examples/event-log/case-aggregate.js';
import { uniqueName, useWorker } from '../../support/temporal.js';

export const importWorkflows = fileURLToPath(
  new URL('../../../examples/event-log/workflows.ts', import.meta.url),
);

/** A worker for one test; returns its task queue. */
export async function useImportWorker(store: ImportStore): Promise<string> {
  const taskQueue = uniqueName('event-log');
  await useWorker({
    taskQueue,
    workflowsPath: importWorkflows,
    activities: {
      ...createImportActivities({ store }),
      ...createAggregateActivities({ store, aggregates: [CaseAggregate] }),
    },
    maxHeartbeatThrottleInterval: '100 milliseconds',
  });
  return taskQueue;
}
