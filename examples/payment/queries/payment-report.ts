import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import { InvalidArgumentError } from 'temporal-event-store';
import { z } from 'zod';
import { addReports, type PaymentReport } from './payment-totals.js';
import type { ReportActivities } from './report-activities.js';

export interface ReportRequest {
  /**
   * The moment to report of, ISO 8601 with an offset: of each payment, what had happened until then counts. Default: all that is
   * stored.
   */
  readonly until?: string;
  /** Payments replayed by one activity. Default 500. */
  readonly pageSize?: number;
}

/** Where a run goes on that was continued as new. */
interface ReportProgress {
  readonly after: number;
  readonly report: PaymentReport;
}

const { reportPage } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '10 seconds',
});

/** Then it continues as new, so that its history stays short. */
const pagesPerRun = 50;

const requestSchema = z.strictObject({
  until: z.iso.datetime({ offset: true }).optional(),
  pageSize: z.int().min(1).max(10_000).optional(),
});

/**
 * How many payments there were, and how much money, by status and currency: all payments replayed, a page per activity. It keeps
 * the sums and a position, and an activity one payment; a worker that dies loses a page. Deleted payments are left out.
 *
 * @throws InvalidArgumentError for a malformed request
 */
export async function paymentReport(
  request: ReportRequest = {},
  begin: ReportProgress = { after: 0, report: {} },
): Promise<PaymentReport> {
  const checked = requestSchema.safeParse(request);
  if (!checked.success) throw new InvalidArgumentError(`A report: ${z.prettifyError(checked.error)}`);
  const { until, pageSize = 500 } = checked.data;
  // As the store writes times, so that they compare as text.
  const moment = until === undefined ? {} : { until: new Date(until).toISOString() };
  let progress = begin;
  for (let pages = 0; pages < pagesPerRun; pages++) {
    const page = await reportPage({ after: progress.after, limit: pageSize, ...moment });
    progress = { after: page.position, report: addReports(progress.report, page.report) };
    if (page.isEnd) return progress.report;
  }
  return continueAsNew<typeof paymentReport>(request, progress);
}
