import { PostgresEventStore, type PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { expect, onTestFinished } from 'vitest';
import { createDatabase, query, type Database } from './postgres.js';

type StoreOptions = Omit<PostgresEventStoreOptions, 'pool'>;

/** A migrated store until the test finishes, in a database of its own where none is given. */
export async function usePostgresStore(
  options: StoreOptions & { readonly database?: Database } = {},
): Promise<{ store: PostgresEventStore; database: Database }> {
  const { database = await createDatabase(), ...rest } = options;
  const store = await PostgresEventStore.connect({ connectionString: database.url, ...rest });
  onTestFinished(() => store.close());
  await store.migrate();
  return { store, database };
}

/** By the path of the test file. */
const ofFile = new Map<string, Promise<Database>>();

/**
 * As {@link usePostgresStore}, empty, in the one database of the test file, whose earlier store is gone: it takes a fraction of
 * the time of a new database.
 */
export async function useEmptyStore(options: StoreOptions = {}): ReturnType<typeof usePostgresStore> {
  const { testPath = '' } = expect.getState();
  let database = ofFile.get(testPath);
  if (database === undefined) ofFile.set(testPath, (database = createDatabase()));
  await query((await database).directUrl, 'drop schema if exists event_store cascade');
  return usePostgresStore({ database: await database, ...options });
}
