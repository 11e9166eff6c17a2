/**
 * The event store in PostgreSQL, on `pg`.
 *
 * @packageDocumentation
 */
export { createPostgresPool } from './connection.js';
export type { PostgresEventStoreOptions } from './connection.js';
export type { PgClient, PgPool } from './pg-types.js';
export { PostgresEventStore } from './postgres-event-store.js';
export { PostgresProjectionSink } from './postgres-projection-sink.js';
export type { PostgresProjectionSinkOptions } from './postgres-projection-sink.js';
export { SqlProjectionSink } from '../sql/projections/sql-projection-sink.js';
export type { SqlProjectionContext } from '../sql/projections/read-models.js';
export type { SqlClient } from '../sql/projections/sink-database.js';
export { grantScript } from '../sql/migrations/grants.js';
export { migrationScript } from '../sql/migrations/migrations.js';
