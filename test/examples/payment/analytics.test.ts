import { StoreAccessDeniedError } from 'temporal-event-store';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { EventAnalyticsService } from '../../../examples/payment/analytics/event-analytics-service.js';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { usePaymentWorker } from './payment-worker.js';

expectWorkerLog(
  / failed \w+: The role may not read this schema/,
  / failed \w+: From 1900-.* there are more than 100000 intervals/,
);

const march = { from: new Date('2026-03-01T00:00:00Z'), to: new Date('2026-03-31T23:59:59.999Z') };

function processed(occurredAt: string): PaymentEvent & { occurredAt: string } {
  const amount = { minorUnits: 10_000, currency: 'EUR' };
  return {
    type: 'PaymentProcessed',
    data: { organizationId: 'org-456', amount, description: '' },
    occurredAt,
  };
}

function completed(occurredAt: string): PaymentEvent & { occurredAt: string } {
  return { type: 'PaymentCompleted', data: {}, occurredAt };
}

async function useService(): Promise<EventAnalyticsService> {
  const store = new MemoryEventStore();
  await store.appendToStream('Payment-0', [processed('2026-02-28T23:59:59.999Z')]);
  await store.appendToStream('Payment-1', [
    processed('2026-03-01T00:00:00Z'),
    completed('2026-03-01T10:00:00Z'),
  ]);
  await store.appendToStream('Payment-2', [processed('2026-03-01T01:30:00Z')]);
  await store.appendToStream('Payment-3', [processed('2026-03-31T23:59:59.999Z')]);
  await store.appendToStream('Payment-4', [processed('2026-04-01T00:00:00Z')]);
  // Of another category, so not a payment.
  await store.appendToStream('Invoice-1', [processed('2026-03-02T00:00:00Z')]);
  const { client, taskQueue } = await usePaymentWorker(store);
  return new EventAnalyticsService(new TemporalEventStore({ client, taskQueue }));
}

describe('EventAnalyticsService, over a Temporal client', () => {
  it('counts the events of a type in a period, with both its ends', async () => {
    const service = await useService();
    expect(await service.statistics('PaymentProcessed', march)).toEqual({
      eventType: 'PaymentProcessed',
      total: 3,
      payments: 3,
      share: 0.75,
    });
    expect(await service.statistics('PaymentRefunded', march)).toMatchObject({ total: 0, share: 0 });
    expect(await service.countsByType(march)).toEqual({ PaymentProcessed: 3, PaymentCompleted: 1 });
  });

  it('gives trends by hour, day, week and month, with the empty ones', async () => {
    const service = await useService();
    const trends = async (interval: 'hour' | 'day' | 'week' | 'month', period = march) =>
      (await service.trends('PaymentProcessed', period, interval)).map(
        ({ start, count }) => `${start.slice(0, 13)} ${count}`,
      );
    const morning = { from: march.from, to: new Date('2026-03-01T02:00:00Z') };
    expect(await trends('hour', morning)).toEqual(['2026-03-01T00 1', '2026-03-01T01 1', '2026-03-01T02 0']);
    const days = await trends('day');
    expect(days).toHaveLength(31);
    expect([days[0], days[1], days[30]]).toEqual(['2026-03-01T00 2', '2026-03-02T00 0', '2026-03-31T00 1']);
    // The first of March 2026 is a Sunday: its week began on Monday the 23rd of February.
    expect(await trends('week')).toEqual([
      '2026-02-23T00 2',
      '2026-03-02T00 0',
      '2026-03-09T00 0',
      '2026-03-16T00 0',
      '2026-03-23T00 0',
      '2026-03-30T00 1',
    ]);
    expect(await trends('month')).toEqual(['2026-03-01T00 3']);
  });

  it('refuses what is no period, and more intervals than anybody looks at', async () => {
    const service = await useService();
    const refused = { code: 'INVALID_ARGUMENT' };
    const backwards = { from: march.to, to: march.from };
    await expect(service.statistics('PaymentProcessed', backwards)).rejects.toMatchObject(refused);
    await expect(
      service.trends('PaymentProcessed', { from: new Date('no date'), to: march.to }, 'day'),
    ).rejects.toMatchObject(refused);
    const ages = { from: new Date('1900-01-01T00:00:00Z'), to: march.to };
    await expect(service.trends('PaymentProcessed', ages, 'hour')).rejects.toMatchObject(refused);
  });

  it('gives the error of the store, not a count of zero', async () => {
    const store = new MemoryEventStore();
    const refuse = () => Promise.reject(new StoreAccessDeniedError('The role may not read this schema.'));
    store.statistics = refuse;
    store.trends = refuse;
    const { client, taskQueue } = await usePaymentWorker(store);
    const service = new EventAnalyticsService(new TemporalEventStore({ client, taskQueue }));
    await expect(service.statistics('PaymentProcessed', march)).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
    });
    await expect(service.trends('PaymentProcessed', march, 'day')).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
    });
  });
});
