import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import { serveStore } from '../../support/store-over-http.js';
import { startSurroundings, urlsOf, type PaymentSystemOptions, type Surroundings } from './payment-system.js';

export interface MortalSystem extends Surroundings {
  /** Starts a worker in a process of its own. */
  readonly startWorker: () => void;
  /** Kills the worker where it is, and waits until it is dead. */
  readonly killWorker: () => Promise<void>;
}

/** A payment system whose worker can be killed. */
export async function startMortalSystem(options: PaymentSystemOptions): Promise<MortalSystem> {
  const surroundings = await startSurroundings(options);
  const server = await serveStore(surroundings.store);
  onTestFinished(() => server.close());
  const { address, namespace } = inject('temporal');
  let worker: ChildProcess | undefined;
  const killWorker = async (): Promise<void> => {
    if (worker?.exitCode !== null || worker.signalCode !== null) return;
    const exited = once(worker, 'exit');
    worker.kill('SIGKILL');
    await exited;
  };
  onTestFinished(killWorker);
  return {
    ...surroundings,
    killWorker,
    startWorker: () => {
      const script = fileURLToPath(new URL('./payment-worker-process.ts', import.meta.url));
      worker = spawn(process.execPath, ['--import', 'tsx', script], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          // The tsconfig without `paths`: the process imports the built package.
          TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../../tsconfig.build.json', import.meta.url)),
          ADDRESS: address,
          NAMESPACE: namespace,
          TASK_QUEUE: surroundings.taskQueue,
          STORE_URL: server.url,
          PORTS: JSON.stringify(urlsOf(surroundings)),
        },
      });
    },
  };
}
