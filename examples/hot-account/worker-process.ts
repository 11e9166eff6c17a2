import { DefaultLogger, MetricsBuffer, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { Account } from './account.js';
import type { WorkerMessage } from './worker-message.js';

// The worker, in a process of its own as in production; started by worker-child.ts.
const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', DATABASE_URL = '', SCHEMA = '' } = process.env;

// In production these would go to Prometheus or to OpenTelemetry, by another exporter.
const metrics = new MetricsBuffer({ maxBufferSize: 100_000 });
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { metrics: { buffer: metrics } },
  // Ctrl+C ends the load; the worker is still needed for what is under way.
  shutdownSignals: [],
});
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit());

const store = await PostgresEventStore.connect({ connectionString: DATABASE_URL, schema: SCHEMA });
const connection = await NativeConnection.connect({ address: ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: NAMESPACE,
  taskQueue: TASK_QUEUE,
  plugins: [new EventStorePlugin({ store, aggregates: [Account] })],
  // After this process was killed, the server waits that long for it before it asks its successor.
  stickyQueueScheduleToStartTimeout: '1 second',
});
process.once('SIGTERM', () => {
  worker.shutdown();
});
const reporting = setInterval(reportBatches, 250);
const running = worker.run();
tell({ kind: 'ready' });
await running;

clearInterval(reporting);
reportBatches();
await connection.close();
await store.close();
process.disconnect();

function reportBatches(): void {
  const sizes = [...metrics.retrieveUpdates()]
    .filter(({ metric }) => metric.name === 'event_store_command_batch_size')
    .map(({ value }) => value);
  if (sizes.length > 0) tell({ kind: 'batches', sizes });
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
