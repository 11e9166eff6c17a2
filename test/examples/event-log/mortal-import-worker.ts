import { Worker } from '@temporalio/worker';
import type { StoreStatistics } from 'temporal-event-store';
import { createImportActivities, type ImportStore } from '../../../examples/event-log/activities.js';
import { connectWorkerProcess } from '../../support/connect-worker-process.js';
import { storeAt } from '../../support/store-over-http.js';

// A worker in a process of its own, with a store that lives in another. It kills itself right after the append with the
// number LAST_APPEND.
const { STORE_URL = '', LAST_APPEND } = process.env;

const remote = storeAt(STORE_URL);
let appends = 0;
const store: ImportStore = {
  ...remote,
  async appendToStream(streamId, events, options = {}) {
    // A signal does not travel.
    const { commitId = '' } = options;
    const result = await remote.appendToStream(streamId, events, { commitId });
    if (++appends === Number(LAST_APPEND)) process.kill(process.pid, 'SIGKILL');
    return result;
  },
  async statistics(options) {
    const body = JSON.stringify({ method: 'statistics', args: [options] });
    const response = await fetch(STORE_URL, { method: 'POST', body });
    return ((await response.json()) as { result: StoreStatistics }).result;
  },
};
const worker = await Worker.create({
  ...(await connectWorkerProcess()),
  activities: createImportActivities({ store }),
});
await worker.run();
