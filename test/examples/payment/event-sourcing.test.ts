import type { Client } from '@temporalio/client';
import type { RecordedEvent } from 'temporal-event-store';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PaymentResult, ProcessPayment } from '../../../examples/payment/commands/payment-command.js';
import { sendPayment } from '../../../examples/payment/commands/send-payment.js';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { HistoryEntry } from '../../../examples/payment/queries/payment-queries.js';
import { connectClient, uniqueName } from '../../support/temporal.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { startPaymentWorker } from './payment-worker.js';

expectWorkerLog(/ Workflow failed Error: The id of a Payment must be a non-empty string/);

let client: Client;
let store: MemoryEventStore;
let published: RecordedEvent[];
let taskQueue: string;

beforeEach(async () => {
  client = await connectClient();
  store = new MemoryEventStore();
  published = [];
  taskQueue = uniqueName('payments');
  const publish = async (events: readonly RecordedEvent[]): Promise<void> => void published.push(...events);
  onTestFinished(await startPaymentWorker({ taskQueue, store, publisher: { publish } }));
});

function execute<T>(name: string, input: unknown): Promise<T> {
  return client.workflow.execute<(input: unknown) => Promise<T>>(name, {
    taskQueue,
    workflowId: uniqueName(name),
    args: [input],
  });
}

function command(
  paymentId: string,
  organizationId: string,
  minorUnits: number,
  currency: string,
): ProcessPayment {
  return {
    commandId: crypto.randomUUID(),
    correlationId: `case-${paymentId}`,
    paymentId,
    organizationId,
    userId: 'user-789',
    amount: { minorUnits, currency },
    description: 'Test payment',
  };
}

/** The two ways in which a payment is made. */
const ways: Record<string, (command: ProcessPayment) => Promise<PaymentResult>> = {
  AggregateClient: (command) =>
    sendPayment(new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue }), command),
  'a workflow': (command) => execute('processPayment', command),
};

describe.each(Object.entries(ways))("the seed's event-sourcing tests, by %s", (_way, pay) => {
  it('testEventSourcingFlow: one payment gives one PaymentProcessed in its history', async () => {
    const result = await pay(command('payment-123', 'org-456', 10_000, 'EUR'));
    const history = await execute<HistoryEntry[]>('paymentHistory', 'payment-123');

    expect(result).toMatchObject({ success: true });
    expect(history.map((entry) => entry.eventType)).toEqual(['PaymentProcessed']);
  });

  it('testEventSearch: three payments of two organisations are found by type and date range', async () => {
    await pay(command('payment-1', 'org-456', 10_000, 'EUR'));
    await pay(command('payment-2', 'org-456', 20_000, 'USD'));
    await pay(command('payment-3', 'org-789', 30_000, 'EUR'));
    const year = new Date().getUTCFullYear();
    const search = (first: number, last: number): Promise<HistoryEntry[]> =>
      execute('searchPaymentEvents', {
        eventType: 'PaymentProcessed',
        from: `${first}-01-01T00:00:00Z`,
        to: `${last}-12-31T23:59:59.999Z`,
      });

    const found = await search(year - 1, year + 1);
    expect(found.map((entry) => [entry.eventType, entry.paymentId])).toEqual([
      ['PaymentProcessed', 'payment-1'],
      ['PaymentProcessed', 'payment-2'],
      ['PaymentProcessed', 'payment-3'],
    ]);
    expect(await search(2001, 2002)).toEqual([]);
  });
});

describe.each(Object.entries(ways))('a payment by %s', (_way, pay) => {
  it('says who did it, why, and in which case', async () => {
    const sent = command('1', 'org-456', 10_000, 'EUR');
    await pay(sent);
    expect((await store.readStream('Payment-1')).events).toMatchObject([
      { metadata: { actor: 'user-789', causationId: sent.commandId, correlationId: 'case-1' } },
    ]);
  });

  it('that is sent again with its command id is stored once', async () => {
    const sent = command('1', 'org-456', 10_000, 'EUR');
    await pay(sent);
    expect(await pay(sent)).toEqual({ success: true, version: 1, deduplicated: true });
    expect((await store.readStream('Payment-1')).version).toBe(1);
  });

  it.each([
    ['an amount of zero', { minorUnits: 0, currency: 'EUR' }, /positive/],
    ['a fraction of a cent', { minorUnits: 0.5, currency: 'EUR' }, /whole number/],
    ['no currency', { minorUnits: 100, currency: 'euro' }, /ISO 4217/],
  ])('with %s is refused with the reason, and nothing is stored', async (_what, amount, reason) => {
    const result = await pay({ ...command('1', 'org-456', 1, 'EUR'), amount });
    expect(result).toEqual({ success: false, reason: expect.stringMatching(reason) as string });
    expect((await store.readStream('Payment-1')).version).toBe(0);
  });

  it('is found by the correlation id of its case', async () => {
    await pay(command('1', 'org-456', 10_000, 'EUR'));
    await pay(command('2', 'org-456', 10_000, 'EUR'));
    const timeline = await execute<HistoryEntry[]>('paymentTimeline', 'case-2');
    expect(timeline.map((entry) => entry.paymentId)).toEqual(['2']);
  });
});

describe('a payment', () => {
  it('by a workflow is published after it is stored', async () => {
    await execute('processPayment', command('1', 'org-456', 10_000, 'EUR'));
    expect(published).toEqual((await store.readStream('Payment-1')).events);
  });

  it('gives an error where its id is malformed, not an empty history', async () => {
    await expect(execute('paymentHistory', '')).rejects.toThrow();
  });
});
