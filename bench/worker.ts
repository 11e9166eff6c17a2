import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface WorkerPlace {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Of the database with the event store. */
  readonly storeUrl: string;
  /** File with the bundled workflows. */
  readonly codePath: string;
}

/**
 * Runs with a worker in a process of its own, as in production. It has stopped when this returns.
 *
 * @param file what the process runs: it sends a message when the worker runs, and ends after it got one
 * @param env beside the place
 */
export async function withWorker<T>(
  file: URL,
  place: WorkerPlace,
  run: () => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { address, namespace, taskQueue, storeUrl, codePath } = place;
  const child = fork(fileURLToPath(file), {
    // What a person reads on standard output are the results.
    stdio: ['ignore', 2, 2, 'ipc'],
    env: {
      ...process.env,
      ADDRESS: address,
      NAMESPACE: namespace,
      TASK_QUEUE: taskQueue,
      STORE_URL: storeUrl,
      BUNDLE: codePath,
      ...env,
    },
  });
  const ended = once(child, 'exit');
  const died = ended.then(([code, signal]) => {
    throw new Error(`The worker ended with ${String(signal ?? code)}.`);
  });
  try {
    await Promise.race([once(child, 'message'), died]);
    return await Promise.race([run(), died]);
  } finally {
    died.catch(() => undefined);
    if (child.connected) child.send('stop');
    await ended;
  }
}
