import { Worker } from '@temporalio/worker';
import { createAggregateActivities, createEventStoreActivities } from 'temporal-event-store/activities';
import { connectWorkerProcess } from './connect-worker-process.js';
import { enrol } from './enrolment.js';
import { withAfterAppend } from './gated-store.js';
import { storeAt } from './store-over-http.js';
import { Purse } from './transfers.js';

// A worker in a process of its own. With DIES=yes it kills itself right after the store has stored its first append,
// before the activity can complete.
const { STORE_URL = '', DIES } = process.env;

const store = withAfterAppend(storeAt(STORE_URL), () => {
  if (DIES === 'yes') process.kill(process.pid, 'SIGKILL');
});
const worker = await Worker.create({
  ...(await connectWorkerProcess()),
  activities: {
    ...createEventStoreActivities({ store, appendPublisher: { publish: async () => undefined } }),
    ...createAggregateActivities({ store, aggregates: [enrol, Purse] }),
  },
});
await worker.run();
