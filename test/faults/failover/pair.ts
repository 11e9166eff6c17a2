import { findPostgresBinaries } from '../../../dev/postgres-server/binaries.js';
import { createCluster, type Cluster } from '../../../dev/postgres-server/cluster.js';
import { createStandby } from '../../support/standby.js';
import { withClient } from '../faults.js';
import { waitUntil } from '../wait.js';

/** Calls something when the scene is over, whatever comes of it. */
export type Defer = (cleanUp: () => unknown) => void;

/** A primary and a hot standby that streams from it. */
export async function pair(defer: Defer): Promise<{ primary: Cluster; standby: Cluster }> {
  const primary = await start(await createCluster(await findPostgresBinaries()), defer);
  const standby = await start(await createStandby(primary), defer);
  return { primary, standby };
}

export async function start(cluster: Cluster, defer: Defer): Promise<Cluster> {
  defer(() => cluster.remove());
  await cluster.start();
  return cluster;
}

/** From now on nothing is acknowledged that the standby doesn't have. */
export async function synchronous({ url }: Cluster): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`alter system set synchronous_standby_names = '*'`);
    await client.query('select pg_reload_conf()');
    await waitUntil(
      async () =>
        (await client.query(`select from pg_stat_replication where sync_state = 'sync'`)).rowCount === 1,
      'the standby is synchronous',
    );
  });
}

/** From now on the standby gets nothing that the primary stores. */
export async function detach({ url }: Cluster): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`alter system set primary_conninfo = ''`);
    await client.query('select pg_reload_conf()');
    await waitUntil(
      async () => (await client.query('select from pg_stat_wal_receiver')).rowCount === 0,
      'the standby has lost its primary',
    );
  });
}
