import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pg from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { openChannel } from '../channel.js';
import { LedgerSink } from './ledger-sink.js';
import { defineLedger } from './ledger.js';
import type { WorkerOrder, WorkerReport } from './messages.js';
import type { Omission } from './omissions.js';
import { Strike } from './strike.js';

// One of the workers, which kills or stops itself where it is told to.
const {
  ADDRESS = '',
  TASK_QUEUE = '',
  STORE_URL = '',
  WORKFLOW_BUNDLE = '',
  SHARDS = '',
  VERSIONS = '',
  OMISSION,
} = process.env;
const { report, onOrder } = openChannel<WorkerOrder, WorkerReport>();
Runtime.install({ logger: new DefaultLogger('WARN') });

const strike = new Strike();
onOrder((order) => {
  strike.receive(order);
});
const pool = new pg.Pool({ connectionString: STORE_URL, connectionTimeoutMillis: 2_000 });
pool.on('error', () => undefined);
strike.watch(pool);
const sink = new LedgerSink({
  pool,
  strike,
  report,
  ...(OMISSION !== undefined && { omission: OMISSION as Omission }),
});
const projections = VERSIONS.split(',').map((version) =>
  defineLedger(sink, { version: Number(version), shards: Number(SHARDS) }),
);
const store = await PostgresEventStore.connect({
  connectionString: STORE_URL,
  operationTimeout: 2_000,
  retryTimeout: 1_000,
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: ADDRESS }),
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: WORKFLOW_BUNDLE },
  // The tasks of one that was killed are for the other.
  stickyQueueScheduleToStartTimeout: '1 second',
  // Each poll of one that is stopped swallows a task, until its heartbeat is missed, or the 10 seconds of a workflow task are over.
  maxConcurrentActivityTaskPolls: 2,
  maxConcurrentWorkflowTaskPolls: 2,
  plugins: [new EventStorePlugin({ store, projections })],
});
report({ kind: 'ready' });
await worker.run();
