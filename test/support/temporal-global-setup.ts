import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { startTemporalServer } from '../../dev/temporal-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporal: { address: string; namespace: string };
  }
}

/** One Temporal server for all test files; a test gets it with `inject('temporal')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTemporalServer();
  project.provide('temporal', { address: server.address, namespace: server.namespace });
  return () => server.stop();
}
