import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { PostgresEventStore } from 'temporal-event-store/postgres';

export interface OpenStore {
  readonly store: EventStore & StoreCapabilities;
  /** Where the events are, for a person. */
  readonly place: string;
  readonly close: () => Promise<void>;
}

/**
 * The store of an example, in a schema of its own: on the server at `POSTGRES_URL`, else embedded in this process.
 *
 * @param dataDir where the embedded one keeps its events; in memory when absent
 */
export async function openStore(options: {
  readonly schema: string;
  readonly dataDir?: string;
}): Promise<OpenStore> {
  const { schema, dataDir } = options;
  const connectionString = process.env['POSTGRES_URL'];
  if (connectionString) {
    const store = await PostgresEventStore.connect({ connectionString, schema });
    try {
      await store.migrate();
    } catch (error) {
      await store.close();
      throw error;
    }
    return { store, place: 'in PostgreSQL, at POSTGRES_URL', close: () => store.close() };
  }
  const store = await PGliteEventStore.open({ schema, ...(dataDir !== undefined && { dataDir }) });
  const place = `in PGlite, in ${dataDir ?? 'the memory of this process'}`;
  return { store, place, close: () => store.close() };
}
