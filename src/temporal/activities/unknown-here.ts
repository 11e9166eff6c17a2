import { ApplicationFailure, type Duration } from '@temporalio/common';
import { unknownHereType } from '../shared/command-lane.js';

/**
 * What a worker throws that doesn't know enough for a task, and leaves it to others.
 *
 * @param retry whether and when the server hands it out again by itself
 * @param details what its workflow gets besides
 */
export function unknownHereFailure(
  message: string,
  retry: { readonly nonRetryable: true } | { readonly nextRetryDelay: Duration },
  details: readonly unknown[] = [],
): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: unknownHereType,
    ...retry,
    details: [...details],
    // Expected while a release is rolled out: no error in the worker's log.
    category: 'BENIGN',
  });
}
