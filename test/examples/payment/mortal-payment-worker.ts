import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { serveStore } from '../../support/store-over-http.js';
import { forkWorker } from '../../support/worker-process.js';
import { startSurroundings, urlsOf, type PaymentSystemOptions, type Surroundings } from './payment-system.js';
import { paymentWorkflows } from './payment-worker.js';

export interface MortalSystem extends Surroundings {
  /** Starts a worker in a process of its own. */
  readonly startWorker: () => Promise<void>;
  /** Kills the worker where it is, and waits until it is dead. */
  readonly killWorker: () => Promise<void>;
}

/** A payment system whose worker can be killed. */
export async function startMortalSystem(options: PaymentSystemOptions): Promise<MortalSystem> {
  const surroundings = await startSurroundings(options);
  const server = await serveStore(surroundings.store);
  onTestFinished(() => server.close());
  let worker: ChildProcess | undefined;
  const killWorker = async (): Promise<void> => {
    if (worker?.exitCode !== null || worker.signalCode !== null) return;
    const exited = once(worker, 'exit');
    worker.kill('SIGKILL');
    await exited;
  };
  return {
    ...surroundings,
    killWorker,
    startWorker: async () => {
      worker = await forkWorker(new URL('./payment-worker-process.ts', import.meta.url), {
        taskQueue: surroundings.taskQueue,
        workflowsPath: paymentWorkflows,
        env: { STORE_URL: server.url, PORTS: JSON.stringify(urlsOf(surroundings)) },
      });
    },
  };
}
