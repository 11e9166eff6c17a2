import { EventTooLargeError } from '../../core/errors/event-errors.js';
import { countThatFits } from '../../core/store/read/page-bytes.js';
import { utf8Length } from '../../core/values/json.js';

/**
 * Most bytes of a page as JSON, unless its first event alone is larger. Temporal warns at 512 KiB and refuses at 2
 * MiB.
 */
const maxPageBytes = 256 * 1024;

/** Limits a read to a page that can travel, so that nothing is read in vain. */
export function readToTravel<T extends { readonly maxBytes?: number }>(read: T): T & { maxBytes: number } {
  return { ...read, maxBytes: Math.min(read.maxBytes ?? maxPageBytes, maxPageBytes) };
}

/** Temporal's limit of 2 MiB for one payload, less some room for a codec. */
const maxPayloadBytes = 2 * 1024 * 1024 - 16 * 1024;

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

/**
 * Refuses a result that is too large for Temporal, which would otherwise retry the activity again and again.
 *
 * @throws {@link EventTooLargeError}
 */
export function assertFitsPayload<T>(what: string, value: T): T {
  const size = utf8Length(JSON.stringify(value) ?? '');
  if (size <= maxPayloadBytes) return value;
  throw new EventTooLargeError(
    `${what} would be ${size} bytes of JSON, more than the ${maxPayloadBytes} that Temporal carries. Ask for less, or read from the store directly.`,
    { size, limit: maxPayloadBytes },
  );
}
