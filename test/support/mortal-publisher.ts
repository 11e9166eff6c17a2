import { NativeConnection, Worker } from '@temporalio/worker';
import { definePublisher } from 'temporal-event-store';
import { WebhookPublisher } from 'temporal-event-store/activities';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { checkpointsAt, storeAt } from './store-over-http.js';

// A worker in a process of its own that publishes the events of a store to a webhook; its end comes from outside.
const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', STORE_URL = '', CHECKPOINTS_URL = '' } = process.env;
const { WEBHOOK_URL = '', SECRET = '', BUNDLE = '' } = process.env;

const projections = [
  definePublisher({
    name: 'webhook',
    pageSize: 20,
    publisher: new WebhookPublisher({ url: WEBHOOK_URL, secrets: [SECRET] }),
  }),
];
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: ADDRESS }),
  namespace: NAMESPACE,
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: BUNDLE },
  plugins: [
    new EventStorePlugin({
      store: storeAt(STORE_URL),
      projections,
      checkpoints: checkpointsAt(CHECKPOINTS_URL),
    }),
  ],
});
await worker.run();
