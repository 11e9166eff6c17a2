import { once } from 'node:events';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { EventStorePluginOptions } from 'temporal-event-store/worker';
import { schema } from './contenders/ours.js';
import { EventStorePlugin, PostgresEventStore } from './library.js';

const { ADDRESS = '', NAMESPACE = '', TASK_QUEUE = '', STORE_URL = '', BUNDLE = '' } = process.env;

/** A worker as a user starts it, with the defaults of the SDK and of the library, until its process is told to stop. */
export async function runWorker(options: Omit<EventStorePluginOptions, 'store'>): Promise<void> {
  // No process outlives the run.
  process.on('disconnect', () => process.exit());

  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    // The server refuses much of what a naive worker asks for.
    telemetryOptions: { logging: { filter: 'ERROR' } },
  });
  const store = await PostgresEventStore.connect({ connectionString: STORE_URL, schema });
  const connection = await NativeConnection.connect({ address: ADDRESS });
  const worker = await Worker.create({
    connection,
    namespace: NAMESPACE,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: BUNDLE },
    plugins: [new EventStorePlugin({ store, ...options })],
  });
  const running = worker.run();
  process.send?.('running');
  await once(process, 'message');
  worker.shutdown();
  await running;
  await connection.close();
  await store.close();
  process.disconnect?.();
}
