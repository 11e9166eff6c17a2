import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { describeValue } from '../values/describe-value.js';
import { findNameProblem } from '../values/name.js';

/**
 * The id of an aggregate's stream: `streamId('Payment', '123')` is `Payment-123`.
 *
 * @param category letters, digits and `_` only; the first `-` ends it
 * @param id any non-empty text, which may contain `-`; the whole stream id takes at most 1,000 bytes
 * @throws {@link InvalidArgumentError} when either is malformed
 */
export function streamId(category: string, id: string): string {
  if (!isCategory(category)) {
    throw new InvalidArgumentError(
      `A category is made of letters, digits and '_'; got ${describeValue(category)}.`,
    );
  }
  if (typeof id !== 'string' || id === '') {
    throw new InvalidArgumentError(
      `The id of a ${category} must be a non-empty string; got ${describeValue(id)}.`,
    );
  }
  const whole = `${category}-${id}`;
  assertStreamId(whole);
  return whole;
}

export function isCategory(value: unknown): value is string {
  return typeof value === 'string' && /^[\p{L}\p{N}_]+$/u.test(value);
}

/**
 * Splits a stream id at its first `-`: `parseStreamId('Payment-123')` is `{ category: 'Payment', id: '123' }`. Without
 * a `-`, all of it is the category and the id is empty.
 */
export function parseStreamId(streamId: string): { readonly category: string; readonly id: string } {
  const dash = streamId.indexOf('-');
  return dash < 0
    ? { category: streamId, id: '' }
    : { category: streamId.slice(0, dash), id: streamId.slice(dash + 1) };
}

/** @throws {@link InvalidArgumentError} unless it is a non-empty name of at most 1,000 bytes */
export function assertStreamId(value: unknown): asserts value is string {
  const problem = findNameProblem(value);
  if (problem !== undefined) throw new InvalidArgumentError(`The stream id ${problem}.`);
}
