import { runWorker } from '../run-worker.js';
import { account } from './account.js';

await runWorker({ aggregates: [account] });
