import { EventTooLargeError } from '../../core/errors/event-errors.js';
import { countThatFits } from '../../core/store/read/page-bytes.js';
import { utf8Length } from '../../core/values/json.js';

/** How much of a page travels beyond its first event, in bytes of JSON. Temporal warns at 512 KiB and refuses at 2 MiB. */
const maxPageBytes = 256 * 1024;

/** The options of a read whose page travels: what doesn't fit isn't read. */
export function readToTravel<T extends { readonly maxBytes?: number }>(read: T): T & { maxBytes: number } {
  return { ...read, maxBytes: Math.min(read.maxBytes ?? maxPageBytes, maxPageBytes) };
}

/** Temporal's limit of 2 MiB for one payload, less some room for what a codec adds. */
const maxPayloadBytes = 2 * 1024 * 1024 - 16 * 1024;

/** The events from the first on that a page can carry: as many as fit, at least one. */
export function capPage<E>(events: readonly E[]): readonly E[] {
  return assertFitsPayload('The page', fittingPage(events));
}

/** As many of a list as fit into a page, at least one. */
export function fittingPage<T>(items: readonly T[]): readonly T[] {
  return items.slice(
    0,
    countThatFits(items, maxPageBytes, (item) => utf8Length(JSON.stringify(item))),
  );
}

/**
 * A result that is too large for Temporal would be tried again and again, so it is refused here.
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
