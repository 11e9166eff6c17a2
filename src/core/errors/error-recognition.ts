import { isObject } from '../values/json.js';
import { errorClasses, type EventStoreErrorOf } from './error-classes.js';
import type { EventStoreError, EventStoreErrorCode } from './event-store-error.js';
import { failureTypePrefix, isOurs } from './temporal-failure.js';

/**
 * Whether an error is one of this library (with this code): thrown here, by another copy of the package, or anywhere in
 * the causes of a failure that came through Temporal.
 *
 * A wrapper, such as Temporal's `WorkflowFailedError`, has no `code` of its own; get the typed error out of it with
 * {@link findEventStoreError}.
 *
 * @example
 * try {
 *   await store.appendToStream('Account-1', events, { expectedVersion: 4 });
 * } catch (error) {
 *   if (!isEventStoreError(error, 'VERSION_CONFLICT')) throw error;
 * }
 */
export function isEventStoreError(
  error: unknown,
  code?: EventStoreErrorCode,
): error is Error & { readonly code?: EventStoreErrorCode } {
  return findEventStoreError(error, code) !== undefined;
}

/** The first error of this library (with this code) in a chain of causes, with its type and fields. */
export function findEventStoreError<Code extends EventStoreErrorCode = EventStoreErrorCode>(
  error: unknown,
  code?: Code,
): EventStoreErrorOf<Code> | undefined {
  const seen = new Set<unknown>();
  for (let current = error; isObject(current) && !seen.has(current); current = (current as Error).cause) {
    seen.add(current);
    const found = recognise(current);
    if (found !== undefined && (code === undefined || found.code === code)) {
      return found as EventStoreErrorOf<Code>;
    }
  }
  return undefined;
}

/**
 * Whether the same call may go through when it is made again: the store gave no answer, is closed or full, or the error
 * isn't one of this library.
 */
export function isRetryable(error: unknown): boolean {
  const ours = findEventStoreError(error);
  return ours === undefined || !isOurs(ours) || !ours.nonRetryable;
}

function recognise(error: object): EventStoreError | undefined {
  if (isOurs(error)) return error as Error as EventStoreError;
  const { type, details, message } = error as { type?: unknown; details?: unknown; message?: unknown };
  if (typeof type !== 'string' || !type.startsWith(failureTypePrefix)) return undefined;
  const name = type.slice(failureTypePrefix.length);
  const errorClass = errorClasses.find(({ prototype }) => prototype.name === name) as
    (new (message: string, fields: object) => EventStoreError) | undefined;
  if (errorClass === undefined) return undefined;
  const fields: unknown = Array.isArray(details) ? details[0] : undefined;
  return new errorClass(String(message), { ...(isObject(fields) ? fields : {}), cause: error });
}
