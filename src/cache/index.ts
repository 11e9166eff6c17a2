/**
 * A cache of streams that is never stale, built on lru-cache.
 *
 * @packageDocumentation
 */
export { cachingEventStore } from './caching-event-store.js';
export type { CachingEventStoreOptions } from './caching-event-store.js';
