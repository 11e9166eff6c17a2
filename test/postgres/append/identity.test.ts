import { describe, expect, test } from 'vitest';
import { useEmptyStore, usePostgresStore } from '../../support/postgres-store.js';
import { connect, query } from '../../support/postgres.js';

const paid = [{ type: 'Paid', data: {} }];

/** Two stores in one database, and the same append in each. */
async function twins() {
  const { store: north, database } = await useEmptyStore();
  await query(database.directUrl, 'drop schema if exists south cascade');
  const { store: south } = await usePostgresStore({ database, schema: 'south' });
  const append = (store: typeof north) => store.appendToStream('Payment-1', paid, { commitId: 'request-1' });
  return { north, south, database, append };
}

describe('the ids of events', () => {
  test('of two stores differ, also where stream and commit are the same', async () => {
    const { north, south, append } = await twins();
    const [inNorth, inSouth] = [await append(north), await append(south)];

    expect(inNorth).toMatchObject({ streamId: inSouth.streamId, commitId: inSouth.commitId });
    expect(inNorth.eventIds).not.toEqual(inSouth.eventIds);
    expect((await south.readAll()).events.map(({ id }) => id)).toEqual(inSouth.eventIds);
  });

  test('are the same for every process and transaction that uses a store', async () => {
    const { store, database } = await useEmptyStore();
    const { store: other } = await usePostgresStore({ database });
    const client = await connect(database.url);
    await client.query('begin');
    const first = await store.inTransaction(client).appendToStream('Payment-1', paid, { commitId: 'c' });
    await client.query('commit');

    for (const again of [store, other]) {
      expect(await again.appendToStream('Payment-1', paid, { commitId: 'c' })).toEqual({
        ...first,
        deduplicated: true,
      });
    }
  });

  test('stay when the store gets another id, so that an append that is sent again is found', async () => {
    const { store, database } = await useEmptyStore();
    const append = () => store.appendToStream('Payment-1', paid, { commitId: 'c' });
    const first = await append();
    await store.rotateStoreId();
    const { store: restarted } = await usePostgresStore({ database });

    expect(await append()).toEqual({ ...first, deduplicated: true });
    expect(await restarted.findCommit('Payment-1', 'c')).toEqual({ ...first, deduplicated: true });
  });
});

test('a store that is closed right after its first append finishes it', async () => {
  const { store, database } = await useEmptyStore();
  const append = store.appendToStream('Payment-1', paid);
  await store.close();

  expect(await append).toMatchObject({ version: 1 });
  const { store: other } = await usePostgresStore({ database });
  expect((await other.readStream('Payment-1')).version).toBe(1);
});
