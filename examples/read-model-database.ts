import type { Pool } from 'pg';
import type { ProjectionSink } from 'temporal-event-store';
import { PGliteProjectionSink, type PGliteEventStore } from 'temporal-event-store/pglite';
import {
  PostgresProjectionSink,
  type SqlClient,
  type SqlProjectionContext,
} from 'temporal-event-store/postgres';

/** Where the read models of an example are: projections write to the sink, queries ask the client. */
export interface ReadModelDatabase {
  readonly sink: ProjectionSink<SqlProjectionContext>;
  readonly client: SqlClient;
}

/** In the embedded database of a store. @param schema of the checkpoints */
export function readModelsBeside(store: PGliteEventStore, schema?: string): ReadModelDatabase {
  return {
    sink: new PGliteProjectionSink({ store, ...(schema !== undefined && { schema }) }),
    client: { query: (text, values) => store.transaction((transaction) => transaction.query(text, values)) },
  };
}

/** On a server. The pool stays yours to close. @param schema of the checkpoints */
export function readModelsOn(pool: Pool, schema?: string): ReadModelDatabase {
  return {
    sink: new PostgresProjectionSink({ pool, ...(schema !== undefined && { schema }) }),
    client: { query: (text, values) => pool.query(text, values) },
  };
}
