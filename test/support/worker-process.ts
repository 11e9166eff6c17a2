import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import { bundlePath } from './temporal.js';

/** What a worker in a process of its own is told, besides what its script asks for. */
export interface WorkerProcessOptions {
  readonly taskQueue: string;
  /** Bundled already; see `connectToTestServer`. */
  readonly workflowsPath: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts a script that runs a worker of the built package, in a process of its own; what is left of it is killed when the test
 * finishes. What it writes goes where the output of the tests goes.
 */
export async function forkWorker(script: URL, options: WorkerProcessOptions): Promise<ChildProcess> {
  const { taskQueue, workflowsPath, env = {} } = options;
  const { address, namespace } = inject('temporal');
  const child = fork(fileURLToPath(script), {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      // The tsconfig without `paths`: the process imports the built package.
      TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.build.json', import.meta.url)),
      ADDRESS: address,
      NAMESPACE: namespace,
      TASK_QUEUE: taskQueue,
      WORKFLOWS: workflowsPath,
      BUNDLE: await bundlePath(workflowsPath),
      ...env,
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
