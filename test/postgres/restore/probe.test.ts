import pg from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../../support/cluster.js';
import { usePostgresStore } from '../../support/postgres-store.js';
import { query } from '../../support/postgres.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';

const happened = [{ type: 'Happened', data: {} }];

test('a pool whose connections lead to different servers is refused for reading in order', async () => {
  const { database } = await usePostgresStore();
  const other = await useCluster();
  const twin = await PostgresEventStore.connect({ connectionString: other.url });
  onTestFinished(() => twin.close());
  await twin.migrate();
  const urls = [database.directUrl, other.url];
  let connections = 0;
  class Alternating extends pg.Client {
    constructor() {
      super({ connectionString: urls[connections++ % urls.length] });
    }
  }
  const pool = new pg.Pool({ Client: Alternating });
  onTestFinished(() => pool.end());
  const store = await PostgresEventStore.connect({ pool });
  onTestFinished(() => store.close());

  const refused = { code: 'READ_NOT_SAFE', message: expect.stringContaining('different servers') as string };
  await expect(store.readAll()).rejects.toMatchObject(refused);
  await expect(store.readAll()).rejects.toMatchObject(refused);
});

//  appends  takes the lock                     terminated
//  reads                    (answer under way)            looks for the lock: nothing
test('a connection that is lost during the probe says nothing of the servers', async () => {
  const { store: writer, database } = await usePostgresStore();
  await writer.appendToStream('A-1', happened);
  const proxy = await startTcpProxy(database.directUrl);
  onTestFinished(() => proxy.close());
  const store = await PostgresEventStore.connect({ connectionString: proxy.url(database.directUrl) });
  onTestFinished(() => store.close());

  let terminated = 0;
  proxy.onReply(async ({ sql }) => {
    if (
      terminated === 0 &&
      sql.some((text) => text.includes('pg_advisory_xact_lock_shared(1163152724, 1)'))
    ) {
      const holders = await query(
        database.directUrl,
        `select pg_terminate_backend(pid, 10000) from pg_locks
         where locktype = 'advisory' and classid::bigint = 1163152724
           and database = (select oid from pg_database where datname = current_database())`,
      );
      terminated = holders.length;
    }
    return 'forward' as const;
  });

  expect((await store.readAll()).events).toHaveLength(1);
  expect(terminated).toBe(1);
});
