import { ApplicationFailure } from '@temporalio/common';
import { crossingFields, isOurs } from '../../core/errors/temporal-failure.js';
import { isObject, utf8Length } from '../../core/values/json.js';

/**
 * Most characters of a message, and most bytes of its details as JSON. A failure that is too large would never
 * arrive.
 */
const maxMessageLength = 10_000;
const maxDetailBytes = 64 * 1024;
/** Most characters of an error and all its causes; a longer error is shortened. */
const maxErrorLength = 100_000;

/**
 * Turns an error of this library into the SDK's own failure, so that the worker's payload converter writes its
 * fields. Any other error stays as it is, unless it is too long. The cause is in the worker's log.
 */
export function toApplicationFailure(error: unknown): unknown {
  if (!isObject(error) || !isOurs(error)) return withinLength(error);
  const { message, type, nonRetryable, category } = error;
  return ApplicationFailure.create({
    message: cut(message),
    type,
    nonRetryable,
    details: [smallOnes(crossingFields(error))],
    ...(category === 'BENIGN' && { category }),
  });
}

/** The error as it is, or shortened if it is too long to travel. */
function withinLength(error: unknown): unknown {
  if (!(error instanceof Error) || lengthOf(error) <= maxErrorLength) return error;
  const { type, nonRetryable } = error as Partial<ApplicationFailure>;
  return ApplicationFailure.create({
    message: cut(error.message),
    type: type ?? error.name,
    nonRetryable: nonRetryable ?? false,
  });
}

function lengthOf(error: Error): number {
  let length = 0;
  let each: unknown = error;
  for (let depth = 0; depth < 100 && each instanceof Error; depth++) {
    length += each.message.length + (each.stack?.length ?? 0);
    each = each.cause;
  }
  return length;
}

function cut(message: string): string {
  if (message.length <= maxMessageLength) return message;
  return `${message.slice(0, maxMessageLength)} … (cut, of ${message.length} characters)`;
}

/** The fields that fit together, in their order. */
function smallOnes(fields: Record<string, unknown>): Record<string, unknown> {
  let left = maxDetailBytes;
  return Object.fromEntries(
    Object.entries(fields).filter(([key, value]) => {
      const size = utf8Length(JSON.stringify([key, value]));
      if (size > left) return false;
      left -= size;
      return true;
    }),
  );
}
