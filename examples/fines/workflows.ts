import { proxyActivities } from '@temporalio/workflow';
import type { CheckedFines, FineActivities, FineLog } from './activities.js';
import type { Totals } from './totals.js';

export * from 'temporal-event-store/workflows';

// The log may take hours; an attempt that has died is noticed by its heartbeats.
const { checkFineLog, importFineLog, sumFines } = proxyActivities<FineActivities>({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '10 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
});

/** Checks the log, then gives each of its fines its commands. Doing it again gives those that are missing, if any. */
export async function importFines(log: FineLog): Promise<CheckedFines> {
  const checked = await checkFineLog(log);
  await importFineLog({ ...log, total: checked.lines });
  return checked;
}

/** The fines and payments of each year. */
export async function fineTotals(input: { readonly tag: string }): Promise<Totals> {
  return sumFines(input);
}
