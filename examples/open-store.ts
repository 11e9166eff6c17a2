import pg from 'pg';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { readModelsBeside, readModelsOn, type ReadModelDatabase } from './read-model-database.js';

export interface OpenStore {
  readonly store: EventStore & StoreCapabilities;
  /** In the same database. */
  readonly readModels: ReadModelDatabase;
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
  const checkpoints = `${schema}_projections`;
  const connectionString = process.env['POSTGRES_URL'];
  if (connectionString) {
    const store = await PostgresEventStore.connect({ connectionString, schema });
    try {
      await store.migrate();
    } catch (error) {
      await store.close();
      throw error;
    }
    const pool = new pg.Pool({ connectionString, max: 4 });
    // A connection that broke while nobody used it is replaced by the next query.
    pool.on('error', () => undefined);
    const close = async (): Promise<void> => {
      await pool.end();
      await store.close();
    };
    return {
      store,
      readModels: readModelsOn(pool, checkpoints),
      place: 'in PostgreSQL, at POSTGRES_URL',
      close,
    };
  }
  const store = await PGliteEventStore.open({ schema, ...(dataDir !== undefined && { dataDir }) });
  const place = `in PGlite, in ${dataDir ?? 'the memory of this process'}`;
  return { store, readModels: readModelsBeside(store, checkpoints), place, close: () => store.close() };
}
