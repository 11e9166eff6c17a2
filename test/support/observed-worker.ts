import { DefaultLogger, MetricsBuffer, Runtime, Worker, type LogEntry } from '@temporalio/worker';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { connectWorkerProcess } from './connect-worker-process.js';
import { storeAt } from './store-over-http.js';
import { Wallet } from './wallet.js';

/** One change of a metric. */
export interface MetricUpdate {
  readonly name: string;
  readonly kind: string;
  readonly value: number;
  readonly tags: Readonly<Record<string, unknown>>;
}

/** What the worker has measured and logged so far. */
export interface Observations {
  readonly metrics: readonly MetricUpdate[];
  readonly logs: readonly Pick<LogEntry, 'level' | 'message' | 'meta'>[];
  /** Messages at INFO and above. */
  readonly loud: readonly string[];
}

// A worker in a process of its own, since a process has one Runtime; it tells what it has observed when it runs
// and whenever it gets a message.
const { STORE_URL = '' } = process.env;

const buffer = new MetricsBuffer();
const metrics: MetricUpdate[] = [];
const logs: Pick<LogEntry, 'level' | 'message' | 'meta'>[] = [];
const loud: string[] = [];
Runtime.install({
  telemetryOptions: { metrics: { buffer } },
  logger: new DefaultLogger('DEBUG', ({ level, message, meta }) => {
    if (['INFO', 'WARN', 'ERROR'].includes(level)) loud.push(message);
    // The SDK's own entries may hold what doesn't travel.
    if (message.startsWith('Execute commands')) logs.push({ level, message, meta: { ...meta } });
  }),
});
process.on('message', report);
process.once('disconnect', () => process.exit());

const worker = await Worker.create({
  ...(await connectWorkerProcess()),
  plugins: [new EventStorePlugin({ store: storeAt(STORE_URL), aggregates: [Wallet] })],
});
const running = worker.run();
report();
await running;

function report(): void {
  for (const { metric, value, attributes } of buffer.retrieveUpdates()) {
    if (metric.name.includes('event_store')) {
      metrics.push({ name: metric.name, kind: metric.kind, value, tags: { ...attributes } });
    }
  }
  process.send?.({ metrics, logs, loud } satisfies Observations);
}
