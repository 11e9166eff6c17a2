import { proxyActivities } from '@temporalio/workflow';
import type { CheckedLog, ImportActivities, LogSource } from './activities.js';

export * from 'temporal-event-store/workflows';

// The log may take hours; an attempt that has died is noticed by its heartbeats.
const { checkEventLog, appendEventLog } = proxyActivities<ImportActivities>({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '5 seconds',
  // When an import has been cancelled, nothing of it goes on.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
});

/** Checks the log, then appends a stream for each of its cases. Doing it again appends what is missing, if anything. */
export async function importEventLog(source: LogSource): Promise<CheckedLog> {
  const log = await checkEventLog(source);
  await appendEventLog({ ...source, total: log.events });
  return log;
}
