import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { startPgBouncer } from '../../dev/pgbouncer.js';
import { startPostgresServer } from '../../dev/postgres-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Both as a superuser; `directUrl` never leads through a pooler. */
    postgres: { url: string; directUrl: string };
  }
}

/**
 * One PostgreSQL server for all test files, behind PgBouncer with `POSTGRES_VIA=pgbouncer`; a test gets it with
 * `inject('postgres')`.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const via = process.env['POSTGRES_VIA'];
  if (via && via !== 'pgbouncer') {
    throw new Error(`POSTGRES_VIA is "${via}"; it can only be "pgbouncer"`);
  }
  const server = await startPostgresServer();
  const pooler = via ? await startPgBouncer(server.url) : undefined;
  project.provide('postgres', { url: pooler?.url ?? server.url, directUrl: server.url });
  return async () => {
    await pooler?.stop();
    await server.stop();
  };
}
