import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImportProgress, LogSource } from './activities.js';
import type { importEventLog } from './workflows.js';

export interface ImportedLog {
  readonly events: number;
  readonly cases: number;
  /** How many of the events this import added. */
  readonly added: number;
}

export type OnProgress = (progress: Pick<ImportProgress, 'done' | 'total'>) => void;

/**
 * Imports a log by a workflow whose id comes from its content: who imports the same log into the
 * same store meanwhile joins in.
 *
 * @throws WorkflowFailedError when the import failed or was cancelled; `findEventLogProblem` says whether it was for the log
 */
export async function importLog(
  client: Client,
  options: {
    readonly log: LogSource;
    /** Of the workers that have the store; each store has a task queue of its own. */
    readonly taskQueue: string;
    readonly onProgress?: OnProgress;
    /** Cancels the import, for all who have joined it. */
    readonly signal?: AbortSignal;
  },
): Promise<ImportedLog> {
  const { log, taskQueue, onProgress, signal } = options;
  const handle = await client.workflow.start<typeof importEventLog>('importEventLog', {
    workflowId: `event-log-import/${taskQueue}/${log.fingerprint}`,
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [log],
  });
  // It fails where there is nothing left to cancel.
  const cancel = () => void handle.cancel().catch(() => undefined);
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  const watching = new AbortController();
  const watched = onProgress && watch(handle, onProgress, watching.signal);
  const { events, cases, stored } = await handle.result().finally(async () => {
    signal?.removeEventListener('abort', cancel);
    watching.abort();
    await watched;
  });
  onProgress?.({ done: events, total: events });
  return { events, cases, added: events - stored };
}

/**
 * Reports what the importing activity last told the server. That works wherever the worker runs, also for an import that
 * somebody else started, and asks nothing of the workflow or the store.
 */
async function watch(
  handle: WorkflowHandleWithFirstExecutionRunId<typeof importEventLog>,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      const { raw } = await handle.describe();
      for (const { activityType, heartbeatDetails } of raw.pendingActivities ?? []) {
        const payload = heartbeatDetails?.payloads?.[0];
        if (activityType?.name !== 'appendEventLog' || !payload) continue;
        onProgress(defaultPayloadConverter.fromPayload<ImportProgress>(payload));
      }
      await delay(500, undefined, { signal });
    }
  } catch {
    // The import does not depend on who watches it.
  }
}
