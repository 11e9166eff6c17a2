import { ApplicationFailure } from '@temporalio/common';
import { crossingFields, isOurs } from '../../core/errors/temporal-failure.js';
import { isObject } from '../../core/values/json.js';

/**
 * An error of ours as the SDK's own failure, so that the worker's payload converter writes its fields. Anything else
 * stays as it is. What caused it is in the worker's log.
 */
export function toApplicationFailure(error: unknown): unknown {
  if (!isObject(error) || !isOurs(error)) return error;
  const { message, type, nonRetryable, category } = error;
  return ApplicationFailure.create({
    message,
    type,
    nonRetryable,
    details: [crossingFields(error)],
    ...(category === 'BENIGN' && { category }),
  });
}
