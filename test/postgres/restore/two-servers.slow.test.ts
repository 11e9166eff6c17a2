import pg from 'pg';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../../support/cluster.js';
import { usePostgresStore } from '../../support/postgres-store.js';

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

  const refused = { code: 'UNSAFE_READ', message: expect.stringContaining('different servers') as string };
  await expect(store.readAll()).rejects.toMatchObject(refused);
  await expect(store.readAll()).rejects.toMatchObject(refused);
});
