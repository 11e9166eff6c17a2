import { fileURLToPath } from 'node:url';
import { Client, Connection, type ClientOptions, type WorkflowClientInterceptor } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { inject, onTestFinished } from 'vitest';
import { bundled } from './bundled.js';

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
}

/** The path of a workflows module in test/temporal/workflows. */
export function workflowsModule(name: string): string {
  return fileURLToPath(new URL(`../temporal/workflows/${name}.ts`, import.meta.url));
}

/** The ready-made workflows in the built package, which the plugin adds to a worker without workflows. */
export const readyMadeWorkflows = fileURLToPath(new URL('../../dist/workflows.cjs', import.meta.url));

/** A client of the test server. */
export async function connectClient(options: Omit<ClientOptions, 'connection'> = {}): Promise<Client> {
  const { address, namespace } = inject('temporal');
  const connection = await Connection.connect({ address });
  return new Client({ connection, namespace, ...options });
}

/**
 * Workflows whose tasks are given to the next worker 2 seconds after a worker died with one, not after the 10 of the default or
 * what else was asked for.
 */
export const shortWorkflowTasks: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    next({ ...input, options: { ...input.options, workflowTaskTimeout: msToTs('2 seconds') } }),
};

/** Where the bundle of a workflows module is: bundled as a user's worker would do it, once in a run of the tests. */
export async function bundlePath(workflowsPath: string): Promise<string> {
  const response = await fetch(`${inject('bundles')}/?${encodeURIComponent(workflowsPath)}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/**
 * Runs a worker until the returned function is called.
 *
 * @param workflowsPath what it runs, which isn't bundled again
 * @param create makes the worker of its connection
 */
export async function runWorker(
  workflowsPath: string,
  create: (options: { connection: NativeConnection; namespace: string }) => Promise<Worker>,
): Promise<() => Promise<void>> {
  const { address, namespace } = inject('temporal');
  const plugins = [bundled(workflowsPath, await bundlePath(workflowsPath))];
  const connection = await NativeConnection.connect({ address, plugins });
  const worker = await create({ connection, namespace });
  const running = worker.run();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
  return () => (stopped ??= stop());
}

/**
 * A worker that runs until the returned function is called. Its workflows are those of the plugin where it names none. They run in
 * the thread of the test: to start one of their own for each worker takes a fifth of a second of the processor. Those of the
 * examples, and workers in processes of their own, have one as in production.
 */
export async function startWorker(
  options: Omit<WorkerOptions, 'connection' | 'namespace'>,
): Promise<() => Promise<void>> {
  return runWorker(options.workflowsPath ?? readyMadeWorkflows, (worker) =>
    Worker.create({ debugMode: true, ...worker, ...options }),
  );
}

/** A worker for one test. */
export async function useWorker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<void> {
  onTestFinished(await startWorker(options));
}
