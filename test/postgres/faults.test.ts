import { StoreUnavailableError } from 'temporal-event-store';
import type { PostgresEventStore, PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { describe, expect, test } from 'vitest';
import { createDatabase, query, useTcpProxy } from '../support/postgres.js';
import type { Exchange } from '../support/postgres-messages.js';
import { usePostgresStore } from '../support/postgres-store.js';

/** An append is one statement, which is a transaction of its own: its answer is that of COMMIT. */
const isAppend = ({ sql }: Exchange): boolean => sql.some((text) => /append_(one|batch)\(/.test(text));

/** A store whose network is the proxy's, and what its database holds. */
async function useProxiedStore(options: Omit<PostgresEventStoreOptions, 'connectionString' | 'pool'> = {}) {
  const database = await createDatabase();
  const { directUrl } = database;
  const proxy = await useTcpProxy(directUrl);
  const { store } = await usePostgresStore({ database, connectionString: proxy.url(directUrl), ...options });
  return { store, proxy, directUrl };
}

/** What is stored, from outside of the store. */
async function stored(directUrl: string) {
  const sql = `select stream_id, version::integer, commit_id from event_store.events order by position`;
  const rows = await query<{ stream_id: string; version: number; commit_id: string }>(directUrl, sql);
  return rows.map(({ stream_id, version, commit_id }) => `${stream_id} ${version} ${commit_id}`);
}

const happened = [{ type: 'Happened', data: {} }];
const append = (store: PostgresEventStore, commitId: string, streamId = 'Account-1') =>
  store.appendToStream(streamId, happened, { commitId });

describe('a connection that is lost after COMMIT was sent', () => {
  test('costs nothing: the append is answered, and stored once', async () => {
    const { store, proxy, directUrl } = await useProxiedStore();
    const cut = proxy.cutAfter(isAppend);

    const result = await append(store, 'one');

    await cut;
    expect(result).toMatchObject({ version: 1, commitId: 'one' });
    expect(await stored(directUrl)).toEqual(['Account-1 1 one']);
  });
});

describe('the look at who can see the locks, before the first read in order', () => {
  const isProbe = ({ sql }: Exchange): boolean => sql.some((text) => text.includes('virtualtransaction as'));

  test('is made again after a failure, which is typed', async () => {
    const { store, proxy } = await useProxiedStore({ retryTimeout: 0 });
    await append(store, 'one');
    const cut = proxy.cutAfter(isProbe);

    await expect(store.readAll()).rejects.toThrow(StoreUnavailableError);

    await cut;
    const probes: Exchange[] = [];
    proxy.onReply((exchange) => {
      if (isProbe(exchange)) probes.push(exchange);
      return 'forward';
    });
    expect((await store.readAll()).events).toHaveLength(1);
    expect(probes).toHaveLength(1);
  });
});
