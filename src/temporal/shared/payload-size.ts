import { EventTooLargeError } from '../../core/errors/event-errors.js';
import { utf8Length } from '../../core/values/json.js';

/** Temporal's limit of 2 MiB for one payload, less some room for a codec. */
const maxPayloadBytes = 2 * 1024 * 1024 - 16 * 1024;

/**
 * Refuses what is too large for Temporal: with a result, it would retry the activity again and again; with a request, it
 * would end the workflow.
 *
 * @throws {@link EventTooLargeError}
 */
export function assertFitsPayload<T>(
  what: string,
  value: T,
  advice = 'Ask for less, or read from the store directly.',
): T {
  const size = utf8Length(JSON.stringify(value) ?? '');
  if (size <= maxPayloadBytes) return value;
  throw new EventTooLargeError(
    `${what} would be ${size} bytes of JSON, more than the ${maxPayloadBytes} that Temporal carries. ${advice}`,
    { size, limit: maxPayloadBytes },
  );
}
