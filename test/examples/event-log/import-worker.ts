import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { createAggregateActivities } from 'temporal-event-store/activities';
import { createImportActivities, type ImportStore } from '../../../examples/event-log/activities.js';
import { CaseAggregate } from '../../../examples/event-log/case-aggregate.js';
import { uniqueName, useWorker } from '../../support/temporal.js';

const workflowsPath = fileURLToPath(new URL('../../../examples/event-log/workflows.ts', import.meta.url));

let bundle: Promise<{ code: string }> | undefined;

/** A worker for one test; returns its task queue. */
export async function useImportWorker(store: ImportStore): Promise<string> {
  bundle ??= bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const taskQueue = uniqueName('event-log');
  await useWorker({
    taskQueue,
    workflowBundle: await bundle,
    activities: {
      ...createImportActivities({ store }),
      ...createAggregateActivities({ store, aggregates: [CaseAggregate] }),
    },
    maxHeartbeatThrottleInterval: '100 milliseconds',
  });
  return taskQueue;
}
