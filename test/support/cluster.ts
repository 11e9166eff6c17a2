import { onTestFinished } from 'vitest';
import { findPostgresBinaries } from '../../dev/postgres-server/binaries.js';
import { createCluster, type Cluster, type ClusterOptions } from '../../dev/postgres-server/cluster.js';
import { createStandby } from './standby.js';

/** A running server for one test, which may stop or kill it. */
export async function useCluster(options: Pick<ClusterOptions, 'settings'> = {}): Promise<Cluster> {
  return start(await createCluster(await findPostgresBinaries(), options));
}

/** A running hot standby for one test, that streams from this server. */
export async function useStandby(primary: Cluster): Promise<Cluster> {
  return start(await createStandby(primary));
}

async function start(cluster: Cluster): Promise<Cluster> {
  onTestFinished(() => cluster.remove());
  await cluster.start();
  return cluster;
}
