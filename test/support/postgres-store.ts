import { PostgresEventStore, type PostgresEventStoreOptions } from 'temporal-event-store/postgres';
import { onTestFinished } from 'vitest';
import { createDatabase, type Database } from './postgres.js';

/** A migrated store until the test finishes, in a database of its own where none is given. */
export async function usePostgresStore(
  options: Omit<PostgresEventStoreOptions, 'pool'> & { readonly database?: Database } = {},
): Promise<{ store: PostgresEventStore; database: Database }> {
  const { database = await createDatabase(), ...rest } = options;
  const store = await PostgresEventStore.connect({ connectionString: database.url, ...rest });
  onTestFinished(() => store.close());
  await store.migrate();
  return { store, database };
}
