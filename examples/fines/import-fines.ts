import type { Client } from '@temporalio/client';
import { watchProgress, type OnProgress } from '../event-log/watch-progress.js';
import type { CheckedFines, FineLog } from './activities.js';
import type { importFines } from './workflows.js';

/**
 * Imports a log by a workflow whose id comes from its content: who imports the same log meanwhile joins in.
 *
 * @throws WorkflowFailedError when the import failed; `findEventLogProblem` says whether it was for the log
 */
export async function importFineLog(
  client: Client,
  options: {
    readonly log: FineLog;
    readonly taskQueue: string;
    readonly onProgress?: OnProgress;
  },
): Promise<CheckedFines> {
  const { log, taskQueue, onProgress } = options;
  const handle = await client.workflow.start<typeof importFines>('importFines', {
    workflowId: `fines-import/${taskQueue}/${log.fingerprint}/${log.limit ?? 'all'}`,
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [log],
  });
  const watching = new AbortController();
  const watched = onProgress && watchProgress(handle, 'importFineLog', onProgress, watching.signal);
  const checked = await handle.result().finally(async () => {
    watching.abort();
    await watched;
  });
  onProgress?.({ done: checked.lines, total: checked.lines });
  return checked;
}
