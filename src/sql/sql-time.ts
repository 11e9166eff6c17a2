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

/** The last minute that was read: events mostly follow each other within one. */
let last = { minute: NaN, prefix: '' };

/** ISO 8601, of whole milliseconds since 1970. */
export function isoTime(time: number): string {
  const minute = Math.floor(time / 60_000);
  if (minute !== last.minute) {
    last = { minute, prefix: new Date(minute * 60_000).toISOString().slice(0, -'00.000Z'.length) };
  }
  // With a digit in front, so that none is lost.
  const digits = String(100_000 + time - minute * 60_000);
  return `${last.prefix}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
}
