import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { definePublisher } from 'temporal-event-store';
import { WebhookPublisher } from 'temporal-event-store/activities';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { connectWorkerProcess } from './connect-worker-process.js';
import { checkpointsAt, storeAt } from './store-over-http.js';

// A worker in a process of its own that publishes the events of a store to a webhook; its end comes from outside.
Runtime.install({ logger: new DefaultLogger('WARN') });

const { STORE_URL = '', CHECKPOINTS_URL = '', WEBHOOK_URL = '', SECRET = '' } = process.env;

const projections = [
  definePublisher({
    name: 'webhook',
    pageSize: 20,
    publisher: new WebhookPublisher({ url: WEBHOOK_URL, secrets: [SECRET] }),
  }),
];
const worker = await Worker.create({
  ...(await connectWorkerProcess()),
  plugins: [
    new EventStorePlugin({
      store: storeAt(STORE_URL),
      projections,
      checkpoints: checkpointsAt(CHECKPOINTS_URL),
    }),
  ],
});
await worker.run();
