/**
 * The plugin that makes a Temporal worker serve the event store.
 *
 * @packageDocumentation
 */
export { EventStorePlugin } from './event-store-plugin.js';
export type { EventStorePluginOptions } from './event-store-plugin.js';
