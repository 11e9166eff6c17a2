import { ApplicationFailure } from '@temporalio/common';
import { unknownHereType } from '../shared/command-lane.js';

/**
 * What a worker throws that doesn't know enough for a task, and leaves it to others.
 *
 * @param retry whether and when the server hands it out again by itself
 */
export function unknownHereFailure(
  message: string,
  retry: { readonly nonRetryable: true } | { readonly nextRetryDelay: '1 second' },
): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: unknownHereType,
    ...retry,
    // Expected while a release is rolled out: no error in the worker's log.
    category: 'BENIGN',
  });
}
