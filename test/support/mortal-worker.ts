import { NativeConnection, Worker } from '@temporalio/worker';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { withAfterAppend } from './gated-store.js';
import { storeAt } from './store-over-http.js';

// A worker in a process of its own. With DIES=yes it kills itself right after the store has stored its first append,
// before the activity can complete.
const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', STORE_URL = '', WORKFLOWS = '', DIES } = process.env;

const store = withAfterAppend(storeAt(STORE_URL), () => {
  if (DIES === 'yes') process.kill(process.pid, 'SIGKILL');
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: ADDRESS }),
  namespace: NAMESPACE,
  taskQueue: TASK_QUEUE,
  workflowsPath: WORKFLOWS,
  activities: createEventStoreActivities({ store, publisher: { publish: async () => undefined } }),
});
await worker.run();
