import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { ImportProgress } from './activities.js';

export type OnProgress = (progress: Pick<ImportProgress, 'done' | 'total'>) => void;

/**
 * Reports what the importing activity last told the server. That works wherever the worker runs, also for an import that
 * somebody else started, and asks nothing of the workflow or the store.
 */
export async function watchProgress(
  handle: Pick<WorkflowHandle, 'describe'>,
  activity: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      const { raw } = await handle.describe();
      for (const { activityType, heartbeatDetails } of raw.pendingActivities ?? []) {
        const payload = heartbeatDetails?.payloads?.[0];
        if (activityType?.name !== activity || !payload) continue;
        onProgress(defaultPayloadConverter.fromPayload<ImportProgress>(payload));
      }
      await delay(500, undefined, { signal });
    }
  } catch {
    // The import does not depend on who watches it.
  }
}
