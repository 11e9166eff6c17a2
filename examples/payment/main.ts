import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { AggregateClient, TemporalEventStore } from 'temporal-event-store/client';
import { startTemporalServer } from '../../dev/temporal-server.js';
import { openStore } from '../open-store.js';
import type { processPayment } from './command-workflow.js';
import { formatMoney } from './money.js';
import { PaymentAggregate } from './payment-aggregate.js';
import type { PaymentResult, ProcessPayment } from './payment-command.js';
import type {
  HistoryEntry,
  paymentHistory,
  paymentTimeline,
  searchPaymentEvents,
} from './query-workflows.js';
import { sendPayment } from './send-payment.js';
import { createPaymentWorker } from './worker.js';

const taskQueue = 'payments';

Runtime.install({ logger: new DefaultLogger('WARN') });
const server = await startTemporalServer();
say(`Temporal server at ${server.address} (${server.source}).`);
const { store, place, close } = await openStore({ schema: 'payment_example' });
say(`The event store is ${place}.`);

const { namespace } = server;
const connection = await NativeConnection.connect({ address: server.address });
const worker = await createPaymentWorker({
  connection,
  namespace,
  taskQueue,
  store,
  publisher: {
    publish: async (events) => {
      for (const event of events)
        say(`    published ${event.type} of ${event.streamId}, event ${event.id.slice(0, 8)}`);
    },
  },
});
try {
  await worker.runUntil(tellTheStory());
} finally {
  await connection.close();
  await close();
  await server.stop();
}

async function tellTheStory(): Promise<void> {
  const client = new Client({ connection: await Connection.connect({ address: server.address }), namespace });
  const execute = <T extends (input: never) => Promise<unknown>>(
    name: string,
    input: Parameters<T>[0],
  ): Promise<Awaited<ReturnType<T>>> =>
    client.workflow.execute(name, { taskQueue, workflowId: `${name}-${crypto.randomUUID()}`, args: [input] });

  const payments = new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue });
  const send = async (command: ProcessPayment): Promise<void> => {
    report(command, await sendPayment(payments, command));
  };
  const pay = async (command: ProcessPayment): Promise<void> => {
    report(command, await execute<typeof processPayment>('processPayment', command));
  };

  // A store on a server keeps the payments of earlier runs.
  const { streams: earlier } = await store.statistics();
  const payment = (number: number): string => `payment-${earlier + number}`;

  title('Three payments of two organisations, sent as durable commands');
  const first = command(payment(1), 'org-456', 10_000, 'EUR');
  await send(first);
  await send(command(payment(2), 'org-456', 20_000, 'USD'));
  await send(command(payment(3), 'org-789', 30_000, 'EUR'));

  title('The caller did not hear the answer and sends the first one again');
  await send(first);

  title('What the rules forbid is refused, and nothing is stored');
  await send({ ...first, commandId: crypto.randomUUID() });
  await send(command(payment(4), 'org-789', 0, 'EUR'));

  title('A payment as a workflow of its own, which also publishes; and again (published at least once)');
  const fourth = command(payment(4), 'org-789', 40_000, 'EUR');
  await pay(fourth);
  await pay(fourth);

  title(`History of ${payment(1)}`);
  show(await execute<typeof paymentHistory>('paymentHistory', payment(1)));

  title('PaymentProcessed events of the last hour');
  const from = new Date(Date.now() - 3_600_000).toISOString();
  show(
    await execute<typeof searchPaymentEvents>('searchPaymentEvents', { eventType: 'PaymentProcessed', from }),
  );

  title(`Timeline of the case of ${payment(2)} (by its correlation id)`);
  show(await execute<typeof paymentTimeline>('paymentTimeline', `case-${payment(2)}`));

  title('The same store, from a service that has a Temporal client and no database');
  const remote = new TemporalEventStore({ client, taskQueue });
  const { total, streams } = await remote.statistics();
  say(`  ${total} events in ${streams} streams`);
  const { version, state } = await remote.replay({ aggregate: 'Payment', id: payment(3) });
  say(`  ${payment(3)} replayed to version ${version}: ${JSON.stringify(state)}`);
  say('');
  await payments.close();
}

function report(command: ProcessPayment, result: PaymentResult): void {
  const outcome = result.success
    ? `processed, version ${result.version}${result.deduplicated ? ' (it was already: nothing was stored)' : ''}`
    : `refused: ${result.reason}`;
  say(`  ${command.paymentId}, ${formatMoney(command.amount)} → ${outcome}`);
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
    description: `Invoice for ${paymentId}`,
  };
}

function show(entries: readonly HistoryEntry[]): void {
  for (const { timestamp, eventType, paymentId, data, metadata } of entries) {
    say(
      `  ${timestamp}  ${eventType}  ${paymentId}  ${formatMoney(data.amount)}  ${data.organizationId}  by ${metadata.actor ?? '?'}`,
    );
  }
}

function title(text: string): void {
  say(`\n${text}`);
}

function say(text: string): void {
  console.log(text);
}
