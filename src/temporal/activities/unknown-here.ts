import { ApplicationFailure, type Duration } from '@temporalio/common';
import { unknownHereType } from '../shared/command-lane.js';

/**
 * The failure by which a worker that doesn't know enough for a task leaves it to others.
 *
 * @param retry whether and when the server retries the task by itself
 * @param details further details for the workflow
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
    // Expected while a release is rolled out, so not logged as an error.
    category: 'BENIGN',
  });
}
