import { ApplicationFailure } from '@temporalio/common';
import { crossingFields, isOurs } from '../../core/errors/temporal-failure.js';
import { isObject, utf8Length } from '../../core/values/json.js';

/** Most characters of a message that cross, and bytes of JSON of what crosses with it. A failure that is too large would never be heard of. */
const maxMessageLength = 10_000;
const maxDetailBytes = 64 * 1024;
/** Most characters of an error with all its causes that cross as they are. */
const maxErrorLength = 100_000;

/**
 * An error of ours as the SDK's own failure, so that the worker's payload converter writes its fields. Anything else
 * stays as it is, unless it is too long. What caused it is in the worker's log.
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

/** Whatever somebody has thrown, shortened where it is too long to cross. */
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

/** Those that fit together, in their order. */
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
