import envPaths from 'env-paths';

/** Where tests and examples keep what takes long to make: `TEMPORAL_EVENT_STORE_CACHE`, else in the user's cache folder. */
export function cacheFolder(): string {
  return process.env['TEMPORAL_EVENT_STORE_CACHE'] ?? envPaths('temporal-event-store', { suffix: '' }).cache;
}
