import {
  iterateAll,
  iterateStream,
  streamId,
  type EventFilter,
  type RecordedEvent,
} from 'temporal-event-store';
import { proxyEventStore } from 'temporal-event-store/workflow';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';

/** An event as a person looks at it. */
export interface HistoryEntry {
  readonly eventId: string;
  readonly paymentId: string;
  readonly eventType: PaymentEvent['type'];
  readonly timestamp: string;
  readonly data: PaymentEvent['data'];
  readonly metadata: RecordedEvent['metadata'];
}

export interface PaymentSearch {
  readonly eventType?: PaymentEvent['type'];
  /** ISO 8601 with an offset; inclusive. */
  readonly from?: string;
  /** ISO 8601 with an offset; inclusive. */
  readonly to?: string;
}

const store = proxyEventStore();

/** All that happened to a payment. An error is an error, not an empty history. */
export async function paymentHistory(paymentId: string): Promise<HistoryEntry[]> {
  return collect(iterateStream<PaymentEvent>(store, streamId(PaymentAggregate.category, paymentId)));
}

/** The events of payments, by type and time. */
export async function searchPaymentEvents({ eventType, from, to }: PaymentSearch): Promise<HistoryEntry[]> {
  const filter: EventFilter<PaymentEvent['type']> = {
    categories: [PaymentAggregate.category],
    ...(eventType !== undefined && { types: [eventType] }),
    ...(from !== undefined && { occurredFrom: from }),
    ...(to !== undefined && { occurredTo: to }),
  };
  return collect(iterateAll<PaymentEvent>(store, { filter }));
}

/** All that belongs to one business case, in order. */
export async function paymentTimeline(correlationId: string): Promise<HistoryEntry[]> {
  return collect(iterateAll<PaymentEvent>(store, { filter: { correlationId } }));
}

async function collect(events: AsyncIterable<RecordedEvent<PaymentEvent>>): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for await (const event of events) {
    entries.push({
      eventId: event.id,
      paymentId: event.streamId.slice(PaymentAggregate.category.length + 1),
      eventType: event.type,
      timestamp: event.occurredAt,
      data: event.data,
      metadata: event.metadata,
    });
  }
  return entries;
}
