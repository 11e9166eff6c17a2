import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import {
  EventLogError,
  findEventLogProblem,
  toFailure,
} from '../../../examples/event-log/event-log-error.js';

const inLine = new EventLogError('is broken.', { file: 'log.csv', line: 3 });
const somewhere = new EventLogError('is broken.', { file: 'log.csv' });

/** As a client gets the failure of an activity. */
function thrownBy(cause: Error): Error {
  return new ActivityFailure('failed', 'check', 'id', RetryState.NON_RETRYABLE_FAILURE, 'worker', cause);
}

describe('an error of a log', () => {
  it.each([
    ['in a line', inLine, { file: 'log.csv', line: 3 }, 'log.csv, line 3: is broken.'],
    ['somewhere', somewhere, { file: 'log.csv' }, 'log.csv: is broken.'],
  ])('%s travels with its place, and is not tried again', (_where, error, place, message) => {
    expect(toFailure(error)).toMatchObject({
      type: 'EventLogError',
      message,
      nonRetryable: true,
      category: 'BENIGN',
      cause: error,
    });
    expect(toFailure(error).details).toEqual([place]);
  });

  it.each([
    ['where it is thrown', inLine],
    ['in the failure of an activity', thrownBy(toFailure(inLine))],
    [
      'where only its name has travelled',
      thrownBy(ApplicationFailure.create({ type: 'EventLogError', message: inLine.message })),
    ],
  ])('is found %s', (_where, error) => {
    expect(findEventLogProblem(error)).toBe('log.csv, line 3: is broken.');
  });

  it.each([
    ['another error', new Error('no')],
    ['another failure', thrownBy(ApplicationFailure.create({ type: 'Other', message: 'no' }))],
    ['what is no error', 'no'],
    ['nothing', undefined],
  ])('is not found in %s', (_what, error) => {
    expect(findEventLogProblem(error)).toBeUndefined();
  });
});
