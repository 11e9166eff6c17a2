import { expect, it } from 'vitest';
import { describeError } from '../../../src/core/values/describe-error.js';

const hostile = new Error('hidden');
Object.defineProperty(hostile, 'message', {
  get() {
    throw new Error('no');
  },
});

it.each([
  ['an error', new TypeError('no such thing'), 'TypeError: no such thing'],
  ['a text', 'out of order', 'out of order'],
  ['nothing', undefined, 'undefined'],
  ['an object without a prototype', Object.create(null), 'an object'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
  ['an error whose message throws', hostile, 'an object'],
])('describes %s', (_what, thrown, text) => {
  expect(describeError(thrown)).toBe(text);
});
