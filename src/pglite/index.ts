/**
 * The event store in PostgreSQL embedded in the process, on PGlite.
 *
 * @packageDocumentation
 */
export type { PGliteEventStoreOptions } from './pglite-event-store.js';
export { PGliteEventStore } from './pglite-event-store.js';
export { PGliteProjectionSink } from './pglite-projection-sink.js';
export type { PGliteProjectionSinkOptions } from './pglite-projection-sink.js';
export { SqlProjectionSink } from '../sql/projections/sql-projection-sink.js';
export type { SqlProjectionContext } from '../sql/projections/read-models.js';
export type { SqlClient } from '../sql/projections/sink-database.js';
export type { PGliteTransaction } from './pglite-transaction.js';
