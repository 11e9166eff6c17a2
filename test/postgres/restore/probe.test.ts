import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { usePostgresStore } from '../../support/postgres-store.js';
import { query } from '../../support/postgres.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';

const happened = [{ type: 'Happened', data: {} }];

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
