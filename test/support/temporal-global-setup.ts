import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { startTemporalServer } from '../../dev/temporal-server.js';
import { startBundleServer } from './bundle-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporal: { address: string; namespace: string };
    /** See `startBundleServer`. */
    bundles: string;
  }
}

/** One Temporal server and one bundle of each workflows module for all test files. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTemporalServer();
  project.provide('temporal', { address: server.address, namespace: server.namespace });
  const bundles = await startBundleServer();
  project.provide('bundles', bundles.url);
  return async () => {
    await bundles.stop();
    await server.stop();
  };
}
