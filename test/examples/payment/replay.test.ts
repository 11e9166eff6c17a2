import type { Client } from '@temporalio/client';
import { AggregateRepository, findEventStoreError } from 'temporal-event-store';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { fixedClock } from 'temporal-event-store/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { paymentReport, ReportRequest } from '../../../examples/payment/queries/payment-report.js';
import { uniqueName } from '../../support/temporal.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { usePaymentWorker } from './payment-worker.js';

expectWorkerLog(
  / Workflow failed Error: A report: /,
  / Activity failed Error: The connection broke/,
  / failed PositionAheadOfStoreError: Position 7/,
  / Workflow failed Error: Activity task failed/,
);

const clock = fixedClock('2026-03-01T12:00:00Z');
const reason = 'as the customer wished';
let store: MemoryEventStore;
let client: Client;
let taskQueue: string;
beforeEach(async () => {
  clock.set('2026-03-01T12:00:00Z');
  store = new MemoryEventStore({ clock });
  ({ client, taskQueue } = await usePaymentWorker(store));
});

async function at(time: string, id: string, command: (payment: PaymentAggregate) => void): Promise<void> {
  clock.set(time);
  await new AggregateRepository(store, PaymentAggregate).execute(id, command);
}

const begin = (minorUnits: number, currency: string, way: 'process' | 'initiate' = 'process') => {
  const payment = { organizationId: 'org-456', amount: { minorUnits, currency }, description: '' };
  return (aggregate: PaymentAggregate) => {
    aggregate[way](payment);
  };
};

/** Four payments, whose events lie between each other. */
async function makePayments(): Promise<void> {
  await at('2026-03-01T12:00:00Z', '1', begin(10_000, 'EUR'));
  await at('2026-03-01T13:00:00Z', '2', begin(20_000, 'EUR', 'initiate'));
  await at('2026-03-02T12:00:00Z', '3', begin(30_000, 'USD'));
  await at('2026-03-02T13:00:00Z', '2', (payment) => {
    payment.authorise({ authorisationId: 'a-1' });
    payment.capture();
  });
  await at('2026-03-03T12:00:00Z', '1', (payment) => {
    payment.complete();
  });
  await at('2026-03-03T13:00:00Z', '1', (payment) => {
    payment.refund({ amount: { minorUnits: 4_000, currency: 'EUR' }, reason });
  });
  await at('2026-03-04T12:00:00Z', '4', begin(40_000, 'EUR'));
  await at('2026-03-05T12:00:00Z', '3', (payment) => {
    payment.delete({ reason });
  });
}

function start(request: ReportRequest, ...progress: object[]) {
  return client.workflow.start('paymentReport', {
    taskQueue,
    workflowId: uniqueName('payment-report'),
    args: [request, ...progress],
  });
}

async function report(request: ReportRequest = {}): ReturnType<typeof paymentReport> {
  return (await start(request)).result() as ReturnType<typeof paymentReport>;
}

const totals = (payments: number, amount: number, refunded = 0) => ({ payments, amount, refunded });

describe('the state of a payment', () => {
  it.each([
    ['at its first version', { toVersion: 1 }, 1, 'processed', 0],
    ['at its second version', { toVersion: 2 }, 2, 'completed', 0],
    ['before it began', { until: '2026-03-01T11:59:59.999Z' }, 0, 'new', 0],
    ['at the moment of an event', { until: '2026-03-03T12:00:00Z' }, 2, 'completed', 0],
    ['in another time zone', { until: '2026-03-03T14:59:59+02:00' }, 2, 'completed', 0],
    ['now', {}, 3, 'completed', 4_000],
  ])('is what it was %s', async (_when, moment, version, status, refunded) => {
    await makePayments();
    const remote = new TemporalEventStore({ client, taskQueue });
    expect(await remote.replay({ aggregate: 'Payment', id: '1', ...moment })).toMatchObject({
      version,
      state: { status, refunded },
    });
  });

  it.each([
    ['a version', { toVersion: -1 }],
    ['a moment', { until: 'yesterday' }],
  ])('is refused at what is not %s', async (_what, moment) => {
    const remote = new TemporalEventStore({ client, taskQueue });
    await expect(remote.replay({ aggregate: 'Payment', id: '1', ...moment })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('the report of all payments', () => {
  it.each([500, 1])('has totals by status and currency, with %s payments to a page', async (pageSize) => {
    await makePayments();
    expect(await report({ pageSize })).toEqual({
      completed: { EUR: totals(1, 10_000, 4_000) },
      processed: { EUR: totals(2, 60_000) },
    });
  });

  it.each([
    ['2026-03-01T11:59:59.999Z', {}],
    [
      '2026-03-02T12:00:00Z',
      {
        processed: { EUR: totals(1, 10_000), USD: totals(1, 30_000) },
        initiated: { EUR: totals(1, 20_000) },
      },
    ],
    // The same moment as two hours before the deletion.
    [
      '2026-03-05T12:00:00+02:00',
      {
        completed: { EUR: totals(1, 10_000, 4_000) },
        processed: { EUR: totals(2, 60_000), USD: totals(1, 30_000) },
      },
    ],
  ])('of %s says what was so then', async (until, expected) => {
    await makePayments();
    expect(await report({ until })).toEqual(expected);
  });

  it('keeps its history short, and goes on as new where it is long', async () => {
    for (let id = 1; id <= 60; id++) await at('2026-03-01T12:00:00Z', String(id), begin(1_00, 'EUR'));
    const handle = await start({ pageSize: 1 });
    expect(await handle.result()).toEqual({ processed: { EUR: totals(60, 60_00) } });
    const last = client.workflow.getHandle(handle.workflowId);
    expect((await last.describe()).runId).not.toBe(handle.firstExecutionRunId);
  });

  it('goes on after an activity failed, and counts nothing twice', async () => {
    await makePayments();
    const readStream: MemoryEventStore['readStream'] = store.readStream.bind(store);
    let reads = 0;
    store.readStream = (...args) =>
      ++reads === 2 ? Promise.reject(new Error('The connection broke.')) : readStream(...args);
    expect(await report()).toMatchObject({ processed: { EUR: totals(2, 60_000) } });
    expect(reads).toBeGreaterThan(4);
  });

  it.each<[string, object]>([
    ['a moment without an offset', { until: '2026-03-02T12:00:00' }],
    ['no moment', { until: 'yesterday' }],
    ['a page of nothing', { pageSize: 0 }],
    ['what it does not know', { currency: 'EUR' }],
  ])('refuses %s', async (_what, request) => {
    const failure: unknown = await report(request).catch((error: unknown) => error);
    expect(findEventStoreError(failure)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('fails where its positions are of another store, rather than to leave payments out', async () => {
    const failure: unknown = await (
      await start({}, { after: 7, report: {} })
    )
      .result()
      .catch((error: unknown) => error);
    expect(findEventStoreError(failure)).toMatchObject({ code: 'POSITION_AHEAD_OF_STORE' });
  });
});
