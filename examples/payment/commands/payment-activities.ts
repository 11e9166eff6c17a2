import { log } from '@temporalio/activity';
import {
  iterateStream,
  streamId,
  type AppendResult,
  type EventMetadata,
  type EventStore,
  type EventToAppend,
  type RecordedEvent,
} from 'temporal-event-store';
import type { ActivityLogger, EventPublisher } from 'temporal-event-store/activities';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';

export interface PaymentActivitiesOptions {
  readonly store: EventStore;
  readonly publisher: EventPublisher;
  /** Default: the activity's own, which adds workflow, run and attempt. */
  readonly logger?: ActivityLogger;
}

export interface SavePayment {
  readonly paymentId: string;
  readonly events: readonly EventToAppend<PaymentEvent>[];
  /** Of the payment as it was loaded, before the command. */
  readonly expectedVersion: number;
  /** The same for every attempt at this save: it makes the save happen once. */
  readonly commitId: string;
  readonly metadata?: EventMetadata;
}

export interface PublishPayment {
  readonly paymentId: string;
  /** Both inclusive. */
  readonly fromVersion: number;
  readonly toVersion: number;
}

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/**
 * Load, save and publish payments: activities to spread into those of a worker, for workflows that decide by themselves.
 *
 * @example
 * Worker.create({ activities: { ...createPaymentActivities({ store, publisher }) }, taskQueue, workflowsPath });
 */
export function createPaymentActivities({ store, publisher, logger = log }: PaymentActivitiesOptions) {
  const read = async (
    paymentId: string,
    range: { readonly fromVersion?: number; readonly toVersion?: number } = {},
  ): Promise<RecordedEvent<PaymentEvent>[]> => {
    const events: RecordedEvent<PaymentEvent>[] = [];
    for await (const event of iterateStream<PaymentEvent>(store, streamOf(paymentId), range)) {
      events.push(event);
    }
    return events;
  };

  return {
    /** All that happened to a payment; nothing where there is none. */
    async loadPayment(paymentId: string): Promise<RecordedEvent<PaymentEvent>[]> {
      const events = await read(paymentId);
      logger.info('Payment loaded', { paymentId, events: events.length });
      return events;
    },

    /**
     * Appends what a command led to.
     *
     * @throws VersionConflictError when the payment has changed since it was loaded
     */
    async savePayment(save: SavePayment): Promise<AppendResult> {
      const { paymentId, events, ...options } = save;
      const result = await store.appendToStream(streamOf(paymentId), events, options);
      const { version, deduplicated } = result;
      logger.info('Payment saved', { paymentId, events: events.length, version, deduplicated });
      return result;
    },

    /** Hands stored events to the publisher, at least once. What is published is what is stored. */
    async publishPayment({ paymentId, ...range }: PublishPayment): Promise<void> {
      const events = await read(paymentId, range);
      await publisher.publish(events);
      logger.info('Payment published', { paymentId, events: events.length });
    },
  };
}

function streamOf(paymentId: string): string {
  return streamId(PaymentAggregate.category, paymentId);
}
