import { countThatFits } from '../../core/store/read/page-bytes.js';
import { utf8Length } from '../../core/values/json.js';
import { assertFitsPayload } from './payload-size.js';

/**
 * Most bytes of a page as JSON, unless its first event alone is larger. Temporal warns at 512 KiB and refuses at 2
 * MiB.
 */
const maxPageBytes = 256 * 1024;

/** Limits a read to a page that can travel, so that nothing is read in vain. */
export function readToTravel<T extends { readonly maxBytes?: number }>(read: T): T & { maxBytes: number } {
  return { ...read, maxBytes: Math.min(read.maxBytes ?? maxPageBytes, maxPageBytes) };
}

/** As many of the first events as fit into a page, at least one. */
export function capPage<E>(events: readonly E[]): readonly E[] {
  return assertFitsPayload('The page', fittingPage(events));
}

/** As many of the first items as fit into a page, at least one. */
export function fittingPage<T>(items: readonly T[]): readonly T[] {
  return items.slice(
    0,
    countThatFits(items, maxPageBytes, (item) => utf8Length(JSON.stringify(item))),
  );
}
