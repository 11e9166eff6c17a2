import { InvalidArgumentError } from './errors.js';
import { utf8Length } from './json.js';

/** The longest a stream id, event type, tag, commit id or correlation id may be, in UTF-8 bytes: they are index keys. */
export const maxNameBytes = 1000;

/**
 * The id of an aggregate's stream: `streamId('Payment', '123')` is `Payment-123`.
 *
 * @param category letters, digits and `_` only, so that the first `-` ends it
 * @param id any non-empty text; it may contain `-`
 * @throws {@link InvalidArgumentError} when either is malformed
 */
export function streamId(category: string, id: string): string {
  if (typeof category !== 'string' || !/^[\p{L}\p{N}_]+$/u.test(category)) {
    throw new InvalidArgumentError(`A category is made of letters, digits and '_'; got ${shown(category)}.`);
  }
  if (typeof id !== 'string' || id === '') {
    throw new InvalidArgumentError(`The id of a ${category} must be a non-empty string; got ${shown(id)}.`);
  }
  const whole = `${category}-${id}`;
  assertStreamId(whole);
  return whole;
}

/** Splits a stream id at its first `-`. Without one, all of it is the category and the id is empty. */
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

/** What keeps a value from being a name that every store can index; undefined when it is one. */
export function findNameProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be a string, not ${value === null ? 'null' : typeof value}`;
  if (value === '') return 'is empty';
  if (!value.isWellFormed()) return 'has a lone surrogate, which is not valid Unicode';
  if (/\p{Cc}/u.test(value)) return 'has a control character';
  // A short text can't be too long in bytes; saves counting.
  if (value.length * 3 > maxNameBytes && utf8Length(value) > maxNameBytes) {
    return `is ${utf8Length(value)} bytes long, more than ${maxNameBytes}`;
  }
  return undefined;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : `a ${typeof value}`;
}
