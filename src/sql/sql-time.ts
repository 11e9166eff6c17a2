import { times } from './operators.js';

/**
 * ISO 8601 in UTC as PostgreSQL reads it the same in every session: `T` and `Z` may be abbreviations of a time zone there.
 */
export function sqlTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, -1)}+00`;
}

/** A column of times as whole milliseconds since 1970, which no setting of a session writes in another way. */
export function milliseconds(time: string): string {
  return `(pg_catalog.date_part('epoch', ${time}) ${times} 1000)::bigint`;
}

/** ISO 8601, of whole milliseconds since 1970. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
