import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { subscribe, type EventStore } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../../support/cluster.js';
import { consumerOf, faultsOf, lockWatcher } from '../../support/consumers.js';
import { openAppend } from '../../support/open-append.js';
import { usePostgresStore } from '../../support/postgres-store.js';
import { connect, createDatabase, query } from '../../support/postgres.js';

const happened = [{ type: 'Happened', data: {} }];

async function expectUnsafe(store: EventStore, says: RegExp): Promise<void> {
  const unsafe = { code: 'UNSAFE_READ', message: expect.stringMatching(says) as string };
  await expect(store.readAll()).rejects.toMatchObject(unsafe);
  await expect(store.readAll({ filter: { types: ['Happened'] } })).rejects.toMatchObject(unsafe);
  await expect(store.readAll({ direction: 'backward' })).rejects.toMatchObject(unsafe);
  await expect(subscribe(store).next()).rejects.toMatchObject(unsafe);
}

test('a standby is refused for reading in order, and only for that, until it is promoted', async () => {
  const cluster = await useCluster();
  const { url } = cluster;
  const store = await PostgresEventStore.connect({ connectionString: url, retryTimeout: 300 });
  onTestFinished(() => store.close());
  await store.migrate();
  await store.appendToStream('A-1', happened, { commitId: 'c' });
  const consumer = consumerOf(store);
  await consumer.poll();

  // As a primary that was demoted.
  await cluster.stop();
  await writeFile(join(cluster.dataDir, 'standby.signal'), '');
  await cluster.start();

  await expectUnsafe(store, /standby.*Read from the primary/);
  expect((await store.readStream('A-1')).version).toBe(1);
  expect(await store.findCommit('A-1', 'c')).toMatchObject({ version: 1 });
  await expect(store.appendToStream('A-1', happened)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('read-only') as string,
  });

  await query(url, 'select pg_promote()');
  await store.appendToStream('A-1', happened);
  await consumer.poll();
  expect(consumer.seen).toHaveLength(2);
  expect(await faultsOf(consumer, url)).toEqual([]);
});

//  publisher   slow  append 1                                   commit
//              fast            append 2
//  subscriber                            2 arrives                       1 arrives
//  reader there                                      poll: 2                        poll: nothing
test('a logical subscriber is refused, where a reader would lose what arrives in the order of commits', async () => {
  const { store: publisher, database: source } = await usePostgresStore();
  const { store: subscriber, database: target } = await usePostgresStore({
    database: await createDatabase(),
  });
  const naive = lockWatcher(target.directUrl, 'virtualtransaction');
  await query(source.directUrl, 'create publication events for table event_store.events');
  await subscribeTo(source.directUrl, target.directUrl);
  const arrived = () =>
    query(target.directUrl, 'select position::integer from event_store.events order by 1');

  const slow = await openAppend(publisher, source.directUrl, 'Slow-1');
  await publisher.appendToStream('Fast-1', happened);
  await expect.poll(arrived, { timeout: 10_000 }).toEqual([{ position: 2 }]);
  await naive.poll();
  await expectUnsafe(subscriber, /logical replication.*Read from the publisher/);
  expect((await subscriber.readStream('Fast-1')).events).toHaveLength(1);
  await slow.commit();
  await expect.poll(arrived, { timeout: 10_000 }).toHaveLength(2);
  await naive.poll();

  expect(await faultsOf(naive, target.directUrl)).toEqual(['1 is lost']);
});

async function subscribeTo(publisherUrl: string, subscriberUrl: string): Promise<void> {
  const slot = `slot_${crypto.randomUUID().slice(0, 8)}`;
  const publisher = await connect(publisherUrl);
  const client = await connect(subscriberUrl);
  // On one server, creating both in one command would wait for itself.
  await publisher.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await client.query(
    `create subscription ${slot} connection '${publisherUrl}' publication events with (create_slot = false, copy_data = false)`,
  );
  onTestFinished(async () => {
    await query(subscriberUrl, `drop subscription ${slot}`);
  });
}
