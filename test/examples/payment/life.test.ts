import { findEventStoreError } from 'temporal-event-store';
import { AggregateClient, ProjectionClient, TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { changePayment, ChangePayment } from '../../../examples/payment/commands/change-payment.js';
import type { PaymentResult } from '../../../examples/payment/commands/payment-command.js';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { EventBus } from '../../../examples/payment/events/event-bus.js';
import { jsonLogger } from '../../../examples/payment/events/json-logger.js';
import { paymentPublisherName } from '../../../examples/payment/events/payment-publisher.js';
import { connectClient, uniqueName } from '../../support/temporal.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { startPaymentWorker } from './payment-worker.js';

expectWorkerLog(
  / Activity failed VersionConflictError: Stream 'Payment-1' was expected to be at version/,
  / failed Error: Payments have no command 'steal'/,
  / failed Error: The payload of 'refund' doesn't fit/,
  / failed CommitMismatchError: The commit 'c-1' of stream 'Payment-1'/,
  / Workflow failed Error: Activity task failed/,
);

const details = {
  organizationId: 'org-456',
  amount: { minorUnits: 10_000, currency: 'EUR' },
  description: 'Invoice 7',
};
const half = { minorUnits: 5_000, currency: 'EUR' };
const reason = 'as the customer wished';

async function start() {
  const client = await connectClient();
  const store = new MemoryEventStore();
  const bus = new EventBus<PaymentEvent>();
  const log: string[] = [];
  const taskQueue = uniqueName('payment-life');
  const logger = jsonLogger((line) => void log.push(line));
  onTestFinished(await startPaymentWorker({ taskQueue, store, publisher: bus, logger }));
  return {
    store,
    bus,
    projections: new ProjectionClient({ client, taskQueue }),
    appends: new TemporalEventStore({ client, taskQueue }),
    log: () => log.map((line) => JSON.parse(line) as Record<string, unknown>),
    payments: new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue }),
    change: (command: ChangePayment): Promise<PaymentResult> =>
      client.workflow.execute<typeof changePayment>('changePayment', {
        taskQueue,
        workflowId: uniqueName('change'),
        args: [command],
      }),
    types: async (id: string) =>
      (await store.readStream<PaymentEvent>(`Payment-${id}`)).events.map(({ type }) => type),
  };
}

describe('the life of a payment, by AggregateClient', () => {
  it('goes from its beginning to refunds in parts', async () => {
    const { payments, types } = await start();
    await payments.execute('1', 'initiate', details);
    await payments.execute('1', 'authorise', { authorisationId: 'a-1' });
    await payments.execute('1', 'capture');
    await payments.execute('1', 'complete');
    await payments.execute('1', 'refund', { amount: half, reason });
    expect((await payments.state('1')).state).toMatchObject({ status: 'completed', refunded: 5_000 });
    await payments.execute('1', 'refund', { amount: half, reason });
    expect((await payments.state('1')).state).toMatchObject({ status: 'refunded', refunded: 10_000 });
    await payments.execute('1', 'recordNotification', { channel: 'email', outcome: 'sent' });
    await payments.execute('1', 'delete', { reason });
    expect(await types('1')).toEqual([
      'PaymentInitiated',
      'PaymentAuthorised',
      'PaymentProcessed',
      'PaymentCompleted',
      'PaymentRefunded',
      'PaymentRefunded',
      'PaymentNotified',
      'PaymentDeleted',
    ]);
  });

  it('may be cancelled before the money is taken, or fail; then nothing more', async () => {
    const { payments } = await start();
    for (const [id, ending] of [
      ['1', 'cancel'],
      ['2', 'fail'],
    ] as const) {
      await payments.execute(id, 'initiate', details);
      await payments.execute(id, 'authorise', { authorisationId: 'a-1' });
      await payments.execute(id, ending, { reason });
      await expect(payments.execute(id, 'capture')).rejects.toMatchObject({ code: 'DOMAIN_ERROR' });
    }
  });
});

describe('a payment that is loaded, saved and published by activities of its own', () => {
  const begin = (commandId: string): ChangePayment => ({
    commandId,
    paymentId: '1',
    command: 'process',
    payload: details,
  });

  it('is saved on the version from before the command, then published to the bus', async () => {
    const { change, store, bus } = await start();
    const got: number[] = [];
    bus.on('PaymentProcessed', ({ data }) => void got.push(data.amount.minorUnits));
    bus.on('PaymentCompleted', ({ version }) => void got.push(version));
    expect(await change(begin('c-1'))).toEqual({ success: true, version: 1, deduplicated: false });
    expect(
      await change({ commandId: 'c-2', paymentId: '1', command: 'complete', payload: undefined }),
    ).toEqual({ success: true, version: 2, deduplicated: false });
    expect(got).toEqual([10_000, 2]);
    expect((await store.readStream('Payment-1')).events).toMatchObject([
      { commitId: 'c-1', metadata: { causationId: 'c-1' } },
      { commitId: 'c-2', metadata: { causationId: 'c-2' } },
    ]);
  });

  it('that is sent again is stored and handled once', async () => {
    const { change, bus, types } = await start();
    const got: string[] = [];
    bus.onAny(({ type }) => void got.push(type));
    await change(begin('c-1'));
    expect(await change(begin('c-1'))).toEqual({ success: true, version: 1, deduplicated: true });
    expect(await types('1')).toEqual(['PaymentProcessed']);
    expect(got).toEqual(['PaymentProcessed']);
  });

  it('is heard by the bus whoever appended, once and in order', async () => {
    const { change, payments, appends, projections, store, bus } = await start();
    const heard: string[] = [];
    bus.onAny(({ id }) => void heard.push(id));
    await payments.execute('1', 'process', details);
    await projections.start(paymentPublisherName);
    await payments.execute('1', 'refund', { amount: half, reason });
    await change({ ...begin('c-2'), paymentId: '2' });
    await appends.appendToStream('Payment-3', [{ type: 'PaymentFailed', data: { reason } }]);
    await store.appendToStream('Payment-4', [{ type: 'PaymentFailed', data: { reason } }]);
    const { events } = await store.readAll();
    await projections.waitFor(paymentPublisherName, events.at(-1)?.position ?? 0);
    expect(events).toHaveLength(5);
    expect(heard).toEqual(events.map(({ id }) => id));
  });

  it('decides again when somebody else was faster', async () => {
    const { change, types } = await start();
    await change(begin('c-1'));
    const refunds = [1, 2, 3].map((number) =>
      change({
        commandId: `r-${number}`,
        paymentId: '1',
        command: 'refund',
        payload: { amount: half, reason },
      }),
    );
    const successes = (await Promise.all(refunds)).map(({ success }) => success);
    expect(successes.sort()).toEqual([false, true, true]);
    expect(await types('1')).toEqual(['PaymentProcessed', 'PaymentRefunded', 'PaymentRefunded']);
  });

  it.each([
    ['a command that there is not', { command: 'steal' as never, payload: {} as never }, 'INVALID_ARGUMENT'],
    ['a payload that does not fit', { command: 'refund', payload: { reason } as never }, 'INVALID_ARGUMENT'],
    [
      'other content under an id that was used',
      { commandId: 'c-1', command: 'process', payload: { ...details, amount: half } },
      'COMMIT_MISMATCH',
    ],
  ] as const)('refuses %s', async (_what, changes, code) => {
    const { change, types } = await start();
    await change(begin('c-1'));
    const failure = await change({ commandId: 'c-2', paymentId: '1', ...changes }).catch(
      (error: unknown) => error,
    );
    expect(findEventStoreError(failure)).toMatchObject({ code });
    expect(await types('1')).toEqual(['PaymentProcessed']);
  });

  it('tells the log what it did, an object a line', async () => {
    const { change, log } = await start();
    await change(begin('c-1'));
    expect(log().map(({ level, message, paymentId }) => [level, message, paymentId])).toEqual([
      ['info', 'Payment loaded', '1'],
      ['info', 'Payment saved', '1'],
      ['info', 'Payment published', '1'],
    ]);
  });
});
