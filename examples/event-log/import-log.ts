import type { Client } from '@temporalio/client';
import type { LogSource } from './activities.js';
import { watchProgress, type OnProgress } from './watch-progress.js';
import type { importEventLog } from './workflows.js';

export interface ImportedLog {
  readonly events: number;
  readonly cases: number;
  /** How many of the events this import added. */
  readonly added: number;
}

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
  const watched = onProgress && watchProgress(handle, 'appendEventLog', onProgress, watching.signal);
  const { events, cases, stored } = await handle.result().finally(async () => {
    signal?.removeEventListener('abort', cancel);
    watching.abort();
    await watched;
  });
  onProgress?.({ done: events, total: events });
  return { events, cases, added: events - stored };
}
