import { findPostgresBinaries } from './postgres-server/binaries.js';
import { createCluster } from './postgres-server/cluster.js';
import { serverVersion } from './postgres-server/connect.js';

export interface PostgresServer {
  /** As a superuser, to the database `postgres`. */
  readonly url: string;
  readonly version: string;
  /** How the server was found, for a person. */
  readonly source: string;
  /** Ends the server if it was started here; leaves the one of `POSTGRES_URL` alone. */
  stop(): Promise<void>;
}

/**
 * A PostgreSQL server for tests and examples: the one at `POSTGRES_URL`, or an empty one that is started with
 * the programs in `POSTGRES_BIN_DIR` or those that npm installed. It does not outlive this process, however
 * that ends.
 */
export async function startPostgresServer(
  options: { log?: (line: string) => void; settings?: Readonly<Record<string, string>> } = {},
): Promise<PostgresServer> {
  const url = process.env['POSTGRES_URL'];
  if (url) {
    const place = withoutPassword(url);
    const version = await serverVersion(url, 10_000).catch((error: unknown) => {
      throw new Error(
        `POSTGRES_URL is ${place}, but no PostgreSQL server can be reached there: ${String(error)}`,
      );
    });
    return { url, version, source: `POSTGRES_URL (${place})`, stop: () => Promise.resolve() };
  }

  const { settings = {} } = options;
  const binaries = await findPostgresBinaries();
  const cluster = await createCluster(binaries, { settings });
  await cluster.start();
  const version = await serverVersion(cluster.url, 10_000);
  options.log?.(`PostgreSQL ${version} of ${binaries.source} is ready.`);
  return { url: cluster.url, version, source: binaries.source, stop: () => cluster.remove() };
}

function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:@/]*):.*@/, '$1@').replace(/\?.*$/, '');
}
