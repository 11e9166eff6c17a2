import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { openStore } from '../open-store.js';
import { installRuntime } from '../runtime.js';
import { startTemporalServer } from '../temporal-server.js';
import { PaymentAggregate } from './domain/payment-aggregate.js';
import type { PaymentEvent } from './domain/payment-event.js';
import { EventBus } from './events/event-bus.js';
import { jsonLogger } from './events/json-logger.js';
import { paymentPublisherName } from './events/payment-publisher.js';
import { startPaymentProjections, stopPaymentProjections } from './read-models/payment-reader.js';
import { analytics } from './story/analytics.js';
import { api } from './story/api.js';
import { commands } from './story/commands.js';
import { eventStore } from './story/event-store.js';
import { life } from './story/life.js';
import { metrics } from './story/metrics.js';
import { startOutside } from './story/outside.js';
import { processes } from './story/process.js';
import { queries } from './story/queries.js';
import { readModels as readModelsChapter } from './story/read-models.js';
import { replay } from './story/replay.js';
import { repository } from './story/repository.js';
import type { Chapter } from './story/stage.js';
import { createPaymentWorker } from './worker.js';

// Of this run: a store in memory has no other worker.
const taskQueue = `payments-${crypto.randomUUID().slice(0, 8)}`;
const chapters: readonly Chapter[] = [
  commands,
  queries,
  replay,
  analytics,
  life,
  eventStore,
  processes,
  readModelsChapter,
  repository,
  api,
  metrics,
];

installRuntime();
const server = await startTemporalServer();
say(`Temporal server at ${server.address} (${server.source}).`);
const { store, readModels, place, close } = await openStore({ schema: 'payment_example' });
say(`The event store is ${place}.`);

const { address, namespace } = server;
const connection = await NativeConnection.connect({ address });
const outside = await startOutside();
const bus = new EventBus<PaymentEvent>();
let heard = 0;
bus.onAny(() => {
  heard++;
});
const log: string[] = [];
const worker = await createPaymentWorker({
  connection,
  namespace,
  taskQueue,
  store,
  readModels,
  publisher: bus,
  ports: outside.ports,
  logger: jsonLogger((line) => void log.push(line)),
});
try {
  await worker.runUntil(tellTheStory());
} finally {
  await connection.close();
  await close();
  await outside.close();
  await server.stop();
}

async function tellTheStory(): Promise<void> {
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const payments = new AggregateClient({ client, aggregate: PaymentAggregate, taskQueue });
  const projections = new ProjectionClient({ client, taskQueue });
  await startPaymentProjections(projections);
  await projections.start(paymentPublisherName);
  const { streams: earlier, total: eventsBefore } = await store.statistics();
  for (const chapter of chapters) {
    await chapter({
      client,
      taskQueue,
      store,
      bus,
      log,
      address,
      outside,
      payments,
      readModels,
      projections,
      payment: (number) => `payment-${earlier + number}`,
      execute: (workflowType, input) =>
        client.workflow.execute(workflowType, {
          taskQueue,
          workflowId: `${workflowType}-${crypto.randomUUID()}`,
          args: [input],
        }),
      title: (text) => {
        say(`\n${text}`);
      },
      say,
    });
  }
  say('\nA3  The bus is behind a publisher: it hears every event, whoever appended it');
  const { total, last } = await store.statistics();
  await projections.waitFor(paymentPublisherName, last?.position ?? 0, { timeout: 30_000 });
  say(`  ${heard} heard of ${total - eventsBefore} stored\n`);
  await projections.stop(paymentPublisherName);
  await stopPaymentProjections(projections);
  await payments.close();
}

function say(text: string): void {
  console.log(text);
}
