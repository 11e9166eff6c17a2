import { heartbeat } from '@temporalio/activity';
import { iterateStream, parseStreamId, type EventStore, type RecordedEvent } from 'temporal-event-store';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';
import { addReports, reportOf, type PaymentReport } from './payment-totals.js';

export interface ReportPageRequest {
  /** Position after which the payments of the page begin. */
  readonly after: number;
  readonly limit: number;
  /** ISO 8601 in UTC, as the store writes it. */
  readonly until?: string;
}

export interface ReportPage {
  readonly report: PaymentReport;
  /** Where the next page goes on. */
  readonly position: number;
  readonly isEnd: boolean;
}

export type ReportActivities = ReturnType<typeof createReportActivities>;

/** What a payment can begin with. */
const beginnings: PaymentEvent['type'][] = ['PaymentInitiated', 'PaymentProcessed'];

export function createReportActivities({ store }: { readonly store: EventStore }) {
  return {
    /** The report of the payments that began in a page of the log, each replayed by itself. */
    async reportPage({ after, limit, until }: ReportPageRequest): Promise<ReportPage> {
      const filter = { categories: [PaymentAggregate.category], types: beginnings };
      const { events, position, isEnd } = await store.readAll<PaymentEvent>({ after, limit, filter });
      let report: PaymentReport = {};
      for (const { streamId, version } of events) {
        // A later PaymentProcessed captures what began before.
        if (version !== 1) continue;
        report = addReports(report, reportOf(await replay(store, streamId, until)));
        heartbeat();
      }
      return { report, position, isEnd };
    },
  };
}

/** A payment as it was: of all that happened to it, the longest beginning until then. */
async function replay(store: EventStore, streamId: string, until?: string): Promise<PaymentAggregate> {
  const past: RecordedEvent<PaymentEvent>[] = [];
  for await (const event of iterateStream<PaymentEvent>(store, streamId)) {
    if (until !== undefined && event.occurredAt > until) break;
    past.push(event);
  }
  return PaymentAggregate.fromEvents(parseStreamId(streamId).id, past);
}
