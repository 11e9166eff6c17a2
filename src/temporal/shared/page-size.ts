import { EventTooLargeError } from '../../core/errors/errors.js';
import { utf8Length } from '../../core/values/json.js';

/** How much of a page travels beyond its first event, in bytes of JSON. Temporal warns at 512 KiB and refuses at 2 MiB. */
const maxPageBytes = 256 * 1024;

/** Temporal's limit of 2 MiB for one payload, less some room for what a codec adds. */
const maxPayloadBytes = 2 * 1024 * 1024 - 16 * 1024;

/** The events from the first on that a page can carry: as many as fit, at least one. */
export function capPage<E>(events: readonly E[]): readonly E[] {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += utf8Length(JSON.stringify(event));
    return bytes > maxPageBytes && index > 0;
  });
  return assertTravels('The page', end < 0 ? events : events.slice(0, end));
}

/**
 * A result that is too large for Temporal would be tried again and again, so it is refused here.
 *
 * @throws {@link EventTooLargeError}
 */
export function assertTravels<T>(what: string, value: T): T {
  const size = utf8Length(JSON.stringify(value) ?? '');
  if (size <= maxPayloadBytes) return value;
  throw new EventTooLargeError(
    `${what} is ${size} bytes of JSON, more than the ${maxPayloadBytes} that Temporal carries. Read it from the store directly.`,
    { size, limit: maxPayloadBytes },
  );
}
