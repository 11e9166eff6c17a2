import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import type { Cluster } from '../../../dev/postgres-server/cluster.js';
import { useCluster } from '../../support/cluster.js';
import { consumerOf, faultsOf, lockWatcher } from '../../support/consumers.js';
import { openAppend, startPoll } from '../../support/open-append.js';
import { connect, query } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

//  prepared  append 1  prepare                       crash             commit prepared
//  lost                         append 2             crash
//  fast                                   append 3
//  reader                                        poll … … … … … … … … … … … … … … … …
//
// After the crash the lock of the prepared transaction is held under another name.
test.each<[what: string, crash: (cluster: Cluster) => Promise<void>]>([
  [
    'the server',
    async ({ killHard, start }) => {
      await killHard();
      await start();
    },
  ],
  // PostgreSQL starts anew then, but it is the same server by the time of its start.
  [
    'one of its processes',
    async ({ url }) => {
      const victim = await connect(url);
      const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
      process.kill(rows[0]!.pid, 'SIGKILL');
      await expect(victim.query('select pg_sleep(60)')).rejects.toThrow();
      await expect.poll(() => query(url, 'select').catch(() => []), { timeout: 30_000 }).toHaveLength(1);
    },
  ],
])('a reader waits across a crash of %s for a prepared append, not for a lost one', async (_, crash) => {
  const cluster = await useCluster();
  const { url } = cluster;
  const consumers = {
    everything: consumerOf(await useStore(as('everything', url))),
    filtered: consumerOf(await useStore(as('filtered', url)), { filter: { types: ['Happened'] } }),
    // The control: who takes the lock's new name for that of a newer transaction.
    naive: lockWatcher(as('naive', url), 'virtualtransaction'),
  };
  const store = await useStore(url);
  const prepared = await openAppend(store, url, 'Prepared-1');
  await prepared.run(`prepare transaction 'prepared'`);
  await openAppend(store, url, 'Lost-1');
  await store.appendToStream('Fast-1', happened);

  const [everything, filtered, naive] = (await Promise.all(
    Object.entries(consumers).map(([name, consumer]) => startPoll(consumer, url, name)),
  )) as [Poll, Poll, Poll];
  expect([everything, filtered, naive].map((poll) => poll.isWaiting)).toEqual([true, true, true]);
  await crash(cluster);
  await naive.finish();
  await everything.lookAgain();
  await filtered.lookAgain();
  await query(url, `commit prepared 'prepared'`);
  await everything.finish();
  await filtered.finish();
  // The crash leaves a gap of the positions that the server had drawn in advance.
  const { position } = await store.appendToStream('Fast-1', happened);
  for (const consumer of Object.values(consumers)) await consumer.poll();

  expect(position).toBeGreaterThan(4);
  expect(consumers.everything.seen).toEqual([1, 3, position]);
  expect(await faultsOf(consumers.everything, url)).toEqual([]);
  expect(await faultsOf(consumers.filtered, url)).toEqual([]);
  expect(await faultsOf(consumers.naive, url)).toEqual(['1 is lost']);
});

type Poll = Awaited<ReturnType<typeof startPoll>>;

/** A migrated store that goes on asking while the server restarts. */
async function useStore(connectionString: string): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString, retryTimeout: 30_000 });
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

/** The address with a name for the connections, by which to tell apart who looks. */
function as(name: string, url: string): string {
  return `${url}?application_name=${name}`;
}
