/**
 * The event store in PostgreSQL embedded in the process, on PGlite.
 *
 * @packageDocumentation
 */
export type { PGliteEventStoreOptions } from './pglite-event-store.js';
export { PGliteEventStore } from './pglite-event-store.js';
