import pg from 'pg';
import type { EventStore, ProjectionSink, StoreCapabilities } from 'temporal-event-store';
import {
  PGliteEventStore,
  PGliteProjectionSink,
  type SqlProjectionContext,
} from 'temporal-event-store/pglite';
import { PostgresEventStore, PostgresProjectionSink } from 'temporal-event-store/postgres';

export interface OpenStore {
  readonly store: EventStore & StoreCapabilities;
  /** For read models in the same database. */
  readonly sink: ProjectionSink<SqlProjectionContext>;
  /** Reads what they hold. */
  readonly query: Query;
  /** Where the events are, for a person. */
  readonly place: string;
  readonly close: () => Promise<void>;
}

/** @typeParam Row of the answer, as the statement names its columns */
export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

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
  const sinkSchema = `${schema}_projections`;
  const connectionString = process.env['POSTGRES_URL'];
  if (connectionString) {
    const store = await PostgresEventStore.connect({ connectionString, schema });
    try {
      await store.migrate();
    } catch (error) {
      await store.close();
      throw error;
    }
    const pool = new pg.Pool({ connectionString });
    return {
      store,
      sink: new PostgresProjectionSink({ pool, schema: sinkSchema }),
      query: async <Row>(text: string, values: unknown[]) => (await pool.query(text, values)).rows as Row[],
      place: 'in PostgreSQL, at POSTGRES_URL',
      close: async () => {
        await store.close();
        await pool.end();
      },
    };
  }
  const store = await PGliteEventStore.open({ schema, ...(dataDir !== undefined && { dataDir }) });
  return {
    store,
    sink: new PGliteProjectionSink({ store, schema: sinkSchema }),
    query: <Row>(text: string, values: unknown[]) =>
      store.transaction(async (transaction) => (await transaction.query<Row>(text, values)).rows),
    place: `in PGlite, in ${dataDir ?? 'the memory of this process'}`,
    close: () => store.close(),
  };
}
