import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerMessage } from './worker-message.js';

export interface WorkerChild {
  /** Ends it by SIGKILL, wherever it is. */
  kill(): Promise<void>;
  /** Lets it finish what it has begun. */
  stop(): Promise<void>;
}

export interface WorkerSettings {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly databaseUrl: string;
  readonly schema: string;
}

/** Starts the worker in a process of its own, and waits until it runs. */
export async function startWorkerChild(
  settings: WorkerSettings,
  onBatches: (sizes: readonly number[]) => void,
): Promise<WorkerChild> {
  const child = fork(fileURLToPath(new URL('./worker-process.js', import.meta.url)), {
    env: {
      ...process.env,
      ADDRESS: settings.address,
      NAMESPACE: settings.namespace,
      TASK_QUEUE: settings.taskQueue,
      DATABASE_URL: settings.databaseUrl,
      SCHEMA: settings.schema,
    },
  });
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: WorkerMessage) => {
      if (message.kind === 'ready') resolve();
      else onBatches(message.sizes);
    });
    child.once('exit', () => {
      reject(new Error('The worker ended before it was ready.'));
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return { kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}
