import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { findDifference } from '../../../src/core/values/find-difference.js';

class Money {
  constructor(readonly cents: number) {}
}
class Price {
  constructor(readonly cents: number) {}
}

function circular(name: string): object {
  const value: Record<string, unknown> = { name };
  value['self'] = value;
  return value;
}

function nested(inner: unknown, levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>((below) => [below], inner);
}

const key = Symbol('key');

describe('two values do not differ', () => {
  it.each<[string, unknown, unknown]>([
    ['that are the same', 'a', 'a'],
    ['that are NaN', NaN, NaN],
    ['with the same content', { a: [1, { b: null }] }, { a: [1, { b: null }] }],
    ['with their fields in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['when a field is undefined in one and absent in the other', { a: undefined }, {}],
    ['with the same entries', new Map([[{ a: 1 }, 'b']]), new Map([[{ a: 1 }, 'b']])],
    ['with the same elements', new Set([1, [2]]), new Set([1, [2]])],
    ['of the same time', new Date(5), new Date(5)],
    ['of no time', new Date(NaN), new Date(NaN)],
    ['of one class', new Money(5), new Money(5)],
    ['with a method each', { a: () => 1 }, { a: () => 2 }],
    ['without a prototype', Object.create(null), {}],
    ['of another realm', runInNewContext('({ a: [1] })'), { a: [1] }],
    ['that hold themselves', circular('a'), circular('a')],
  ])('%s', (_what, left, right) => {
    expect(findDifference(left, right)).toBeUndefined();
  });
});

describe('two values differ', () => {
  it.each<[string, unknown, unknown, string, string, string]>([
    ['in a number', { a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, '.a[1].b', 'a number', 'another number'],
    ['in the sign of zero', { a: -0 }, { a: 0 }, '.a', '-0', 'a number'],
    ['in NaN', { a: NaN }, { a: null }, '.a', 'NaN', 'null'],
    ['in what is undefined', { a: undefined }, { a: 1 }, '.a', 'undefined', 'a number'],
    ['in a truth', { a: true }, { a: false }, '.a', 'true', 'false'],
    ['in a field that one lacks', {}, { 'a b': 'x' }, '["a b"]', 'undefined', 'a string'],
    ['in a bigint', 1n, 2n, '', 'a bigint', 'another bigint'],
    ['in a length', [1], [1, undefined], '', 'a list of 1', 'a list of 2'],
    ['in an element', [[], [1]], [[], [2]], '[1][0]', 'a number', 'another number'],
    ['in an entry', new Map([['a', 1]]), new Map([['a', 2]]), '[0][1]', 'a number', 'another number'],
    ['in a size', new Set([1]), new Set(), '', 'a Set of 1', 'a Set of 0'],
    ['in an order', new Set([1, 2]), new Set([2, 1]), '[0]', 'a number', 'another number'],
    ['in a time', { a: new Date(1) }, { a: new Date(2) }, '.a', 'a Date', 'another Date'],
    ['in a field of a Map', new Map(), Object.assign(new Map(), { a: 1 }), '.a', 'undefined', 'a number'],
    ['in their classes', new Money(1), new Price(1), '', 'a Money', 'a Price'],
    ['where one has become plain', { at: new Date(1) }, { at: {} }, '.at', 'a Date', 'an object'],
    ['where one is a function', { a: () => 1 }, { a: {} }, '.a', 'a function', 'an object'],
    ['below a symbol', { [key]: 1 }, { [key]: 2 }, '["Symbol(key)"]', 'a number', 'another number'],
    ['below themselves', circular('a'), circular('b'), '.name', 'a string', 'another string'],
    ['first in the first of two places', { a: 1, b: 1 }, { a: 2, b: 2 }, '.a', 'a number', 'another number'],
  ])('%s', (_what, left, right, path, ofLeft, ofRight) => {
    expect(findDifference(left, right)).toEqual({ path, left: ofLeft, right: ofRight });
  });

  it('at any depth', () => {
    expect(findDifference(nested(1, 20_000), nested(2, 20_000))?.path).toHaveLength(60_000);
  });

  it('also where the same object is compared with a second one', () => {
    const shared = { a: 1 };
    expect(findDifference([shared, shared], [{ a: 1 }, { a: 2 }])?.path).toBe('[1].a');
  });
});
