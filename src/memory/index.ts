/**
 * An event store in the memory of the process, for tests. It is also the reference for what a store does.
 *
 * @packageDocumentation
 */
export { MemoryCheckpointStore } from './memory-checkpoint-store.js';
export { MemoryEventStore } from './memory-event-store.js';
export type { MemoryEventStoreOptions } from './memory-event-store.js';
export { MemoryProjectionSink } from './memory-projection-sink.js';
export { MemorySnapshotStore } from './memory-snapshot-store.js';
