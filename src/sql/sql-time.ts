import { times } from './operators.js';

/**
 * Writes ISO 8601 in UTC so that every session reads the same time: a session may take `T` and `Z` for abbreviations of
 * time zones.
 */
export function sqlTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, -1)}+00`;
}

/** A column of times as whole milliseconds since 1970, which look the same under all settings of a session. */
export function milliseconds(time: string): string {
  return `(pg_catalog.date_part('epoch', ${time}) ${times} 1000)::bigint`;
}

/** ISO 8601 for whole milliseconds since 1970. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
