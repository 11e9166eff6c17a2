import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { findEventStoreError } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { openChannel } from '../channel.js';
import type { DeathOrder, WorkerOrder, WorkerReport } from './messages.js';
import { TroubledWallet, WalletBefore } from './troubled-wallet.js';
import { omissions, toWorkerStore, type Omission, type WorkerStore } from './worker-store.js';

// The worker, which kills itself at an append when it is told to.

/** Told from a death by its code; the supervisor starts it again all the same. */
const stopped = 7;
const {
  ADDRESS = '',
  TASK_QUEUE = '',
  STORE_URL = '',
  WORKFLOW_BUNDLE = '',
  OMISSION,
  RELEASE,
} = process.env;
const { report, onOrder } = openChannel<WorkerOrder, WorkerReport>();
Runtime.install({ logger: new DefaultLogger('WARN') });

let death: DeathOrder | undefined;
let appends = 0;
onOrder((order) => {
  if (order.kind === 'stop') {
    worker.shutdown();
    return;
  }
  death = order;
  appends = 0;
});

// Less patient than the activity, which has five seconds.
const postgres = await PostgresEventStore.connect({
  connectionString: STORE_URL,
  operationTimeout: 2_000,
  retryTimeout: 1_000,
});
const store = mortal(toWorkerStore(postgres));
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: ADDRESS }),
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: WORKFLOW_BUNDLE },
  maxCachedWorkflows: 2,
  shutdownGraceTime: '1 second',
  plugins: [
    new EventStorePlugin({
      store: OMISSION === undefined ? store : omissions[OMISSION as Omission](store),
      aggregates: [RELEASE === 'before' ? WalletBefore : TroubledWallet],
      snapshotEvery: 20,
      commandLanes: { maxUpdates: 20 },
    }),
  ],
});
report({ kind: 'ready' });
await worker.run();
// Nothing that is left may keep it.
process.exit(stopped);

function mortal(inner: WorkerStore): WorkerStore {
  const { snapshots } = inner;
  return {
    ...inner,
    readStream: (...args) => inner.readStream(...args).catch(failedRead),
    findCommit: (...args) => inner.findCommit(...args).catch(failedRead),
    snapshots: {
      load: (...args) => snapshots.load(...args).catch(failedRead),
      save: snapshots.save.bind(snapshots),
      delete: snapshots.delete.bind(snapshots),
    },
    async appendCommits(...args) {
      const isLast = death !== undefined && ++appends > death.afterAppends;
      if (isLast && death?.when === 'before COMMIT') process.kill(process.pid, 'SIGKILL');
      try {
        const results = await inner.appendCommits(...args);
        if (isLast) process.kill(process.pid, 'SIGKILL');
        report({ kind: 'append' });
        return results;
      } catch (error) {
        report({ kind: 'append', error: codeOf(error) });
        throw error;
      }
    },
  };
}

function failedRead(error: unknown): never {
  report({ kind: 'failed read', error: codeOf(error) });
  throw error;
}

function codeOf(error: unknown): string {
  return findEventStoreError(error)?.code ?? String(error);
}
