import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findPostgresBinaries } from '../../dev/postgres-server/binaries.js';
import { createCluster, type Cluster, type ClusterOptions } from '../../dev/postgres-server/cluster.js';

/** A running server for one test, which may stop or kill it. */
export async function useCluster(options: Pick<ClusterOptions, 'settings'> = {}): Promise<Cluster> {
  return start(await createCluster(await findPostgresBinaries(), options));
}

/** A running hot standby for one test, that streams from this server. */
export async function useStandby(primary: Cluster): Promise<Cluster> {
  const { binaries, settings, url } = primary;
  await access(join(binaries.folder, 'pg_basebackup')).catch(() => {
    throw new Error(
      `A standby needs \`pg_basebackup\`, which ${binaries.source} lacks: set POSTGRES_BIN_DIR to the folder of ` +
        'a full installation.',
    );
  });
  const standby = await createCluster(binaries, {
    settings,
    password: new URL(url).password,
    fill: ({ dataDir, run }) =>
      // prettier-ignore
      run('pg_basebackup', [
        '--dbname', url, '--pgdata', dataDir, '--write-recovery-conf', '--checkpoint', 'fast', '--no-sync',
      ]),
  });
  return start(standby);
}

async function start(cluster: Cluster): Promise<Cluster> {
  onTestFinished(() => cluster.remove());
  await cluster.start();
  return cluster;
}
