import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { startPostgresServer } from '../../dev/postgres-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Both as a superuser; `directUrl` never leads through a pooler. */
    postgres: { url: string; directUrl: string };
  }
}

/** One PostgreSQL server for all test files; a test gets it with `inject('postgres')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer();
  project.provide('postgres', { url: server.url, directUrl: server.url });
  return () => server.stop();
}
