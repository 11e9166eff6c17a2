import { PostgresEventStore } from 'temporal-event-store/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../../support/cluster.js';
import { consumerOf, faultsOf } from '../../support/consumers.js';
import { copyRows, dumpAndRestore } from '../../support/dump.js';
import { openAppend } from '../../support/open-append.js';
import { useEmptyStore, usePostgresStore } from '../../support/postgres-store.js';
import { createDatabase, query } from '../../support/postgres.js';
import { brokenInvariants } from '../../support/stored-events.js';

const happened = [{ type: 'Happened', data: {} }];

async function openStore(connectionString: string): Promise<PostgresEventStore> {
  const store = await PostgresEventStore.connect({ connectionString });
  onTestFinished(() => store.close());
  return store;
}

/** Positions 1 to 6, of which 3 was rolled back. */
async function storeWithGap() {
  const { store, database } = await useEmptyStore();
  await store.appendToStream('A-1', [...happened, ...happened], { commitId: 'first' });
  await (await openAppend(store, database.directUrl, 'Gone-1')).rollback();
  for (let index = 4; index <= 6; index++) await store.appendToStream('A-1', happened);
  return { store, directUrl: database.directUrl };
}

test('a store that is restored on another server goes on, and so do its readers and retries', async () => {
  const { store, directUrl } = await storeWithGap();
  const { url } = await useCluster();
  const { events: seen, position, storeId } = await store.readAll({ limit: 3 });
  await store.checkpoints.save('p', { position, storeId });

  await dumpAndRestore(directUrl, url);
  const restored = await openStore(url);
  const rest = await restored.readAll({ after: position });

  expect(await restored.checkpoints.load('p')).toEqual({ position, storeId: rest.storeId });
  expect([...seen, ...rest.events]).toEqual((await store.readAll()).events);
  const again = await restored.appendToStream('A-1', [...happened, ...happened], { commitId: 'first' });
  expect(again).toMatchObject({ version: 2, position: 2, deduplicated: true });
  const next = await restored.appendToStream('A-1', happened, { expectedVersion: 5 });
  expect(next).toMatchObject({ position: 7, version: 6 });
  const consumer = consumerOf(restored);
  await consumer.poll();
  expect(await faultsOf(consumer, url)).toEqual([]);
  expect(await brokenInvariants(url)).toEqual([]);
  expect(await restored.migrate()).toEqual([]);
  await expectNothingByTransactionIds(directUrl, url);
});

/** The control: one who reads what is older than the oldest transaction, whose ids count anew on another server. */
async function expectNothingByTransactionIds(fromUrl: string, toUrl: string): Promise<void> {
  // It has done more than the new one.
  await query(
    fromUrl,
    'do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$',
  );
  const [row] = await query<{ written: string }>(fromUrl, 'select pg_current_xact_id()::text as written');
  const visible = (url: string) =>
    query(url, 'select where $1::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint', [
      row!.written,
    ]);

  await expect.poll(() => visible(fromUrl), { timeout: 10_000 }).toHaveLength(1);
  expect(await visible(toUrl)).toHaveLength(0);
}

describe('a restore of the rows alone, without the sequence', () => {
  test('refuses appends instead of issuing positions again, until it is migrated', async () => {
    const { directUrl } = await storeWithGap();
    const { store: restored, database } = await usePostgresStore();
    await copyRows(directUrl, database.directUrl);

    await expect(restored.appendToStream('B-1', happened)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/duplicate key.*events_pkey/) as string,
    });
    await restored.migrate();

    expect(await restored.appendToStream('B-1', happened)).toMatchObject({ version: 1, position: 7 });
    expect(await brokenInvariants(database.directUrl)).toEqual([]);
  });

  test('leaves a sequence alone that is ahead', async () => {
    const { store, directUrl } = await storeWithGap();
    await (await openAppend(store, directUrl, 'Gone-1')).rollback();

    await store.migrate();

    expect(await store.appendToStream('A-1', happened)).toMatchObject({ position: 8 });
  });

  test('of no events begins at 1', async () => {
    const { store, database } = await useEmptyStore();
    const { store: restored, database: other } = await usePostgresStore({ database: await createDatabase() });
    await copyRows(database.directUrl, other.directUrl);
    await restored.migrate();

    expect(await restored.appendToStream('A-1', happened)).toMatchObject({ position: 1 });
    expect((await restored.readAll()).storeId).toBe((await store.readAll()).storeId);
  });
});
