import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { isObject } from '../../core/values/json.js';
import { crossingFields, failureType, isOurs, isRetryable } from '../../core/errors/temporal-failure.js';

/**
 * An error of ours as the SDK's own failure, so that the worker's payload converter writes its fields. Anything else
 * stays as it is. What caused it is in the worker's log.
 */
export function toApplicationFailure(error: unknown): unknown {
  if (!isObject(error) || !isOurs(error)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: failureType(error),
    nonRetryable: !isRetryable(error),
    details: [crossingFields(error)],
    ...(error.code === 'DOMAIN_ERROR' && { category: ApplicationFailureCategory.BENIGN }),
  });
}
