import { fileURLToPath } from 'node:url';
import { Client, Connection, type ClientOptions } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { inject, onTestFinished } from 'vitest';

// Activities fail on purpose here; what the SDK itself has to say is worth reading.
const logger = new DefaultLogger('ERROR', ({ level, message, meta }) => {
  if (meta?.['sdkComponent'] !== 'activity') console.error(level, message, meta);
});
Runtime.install({ logger });

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
}

/** The path of a workflows module in test/temporal/workflows. */
export function workflowsModule(name: string): string {
  return fileURLToPath(new URL(`../temporal/workflows/${name}.ts`, import.meta.url));
}

/** Bundled as a user's worker would do it; importing the built package. */
export async function bundleWorkflows(name: string): Promise<{ code: string }> {
  return bundleWorkflowCode({ workflowsPath: workflowsModule(name), logger });
}

let readyMade: Promise<{ code: string }> | undefined;

/** What the plugin would bundle for each worker that has no workflows of its own: once, since it takes seconds. */
export function bundleReadyMadeWorkflows(): Promise<{ code: string }> {
  const workflowsPath = fileURLToPath(new URL('../../dist/workflows.cjs', import.meta.url));
  return (readyMade ??= bundleWorkflowCode({ workflowsPath, logger }));
}

/** A client of the test server. */
export async function connectClient(options: Omit<ClientOptions, 'connection'> = {}): Promise<Client> {
  const { address, namespace } = inject('temporal');
  const connection = await Connection.connect({ address });
  return new Client({ connection, namespace, ...options });
}

/** A worker that runs until the returned function is called. */
export async function startWorker(
  options: Omit<WorkerOptions, 'connection' | 'namespace'>,
): Promise<() => Promise<void>> {
  const { address, namespace } = inject('temporal');
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({ connection, namespace, shutdownGraceTime: '1 second', ...options });
  const running = worker.run();
  return async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
}

/** A worker for one test. */
export async function useWorker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<void> {
  onTestFinished(await startWorker(options));
}
