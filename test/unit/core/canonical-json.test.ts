import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, sameJson } from '../../../src/core/values/json.js';

/** The same value with the keys of every object in reverse. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

describe('JSON of two values', () => {
  it('is the same when only the order of keys differs', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const [one, other] = [JSON.stringify(value), JSON.stringify(reversed(value))];
        expect(sameJson(one, other)).toBe(true);
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is the same when it is written with other spaces', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat({ max: 4 }), (value, spaces) => {
        expect(sameJson(JSON.stringify(value), JSON.stringify(value, null, spaces))).toBe(true);
      }),
    );
  });

  it('keeps its value when it is made canonical', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(canonicalJson(value), JSON.stringify(value))).toBe(true);
      }),
    );
  });

  it.each([
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":null}', '{}'],
    ['[]', '{}'],
    ['{"a":{"b":1}}', '{"a":{"b":2}}'],
    ['{"__proto__":{"admin":true}}', '{}'],
    ['{"__proto__":1}', '{"__proto__":2}'],
    ['"é"', '"e\u0301"'],
  ])('%s is not %s', (left, right) => {
    expect(sameJson(left, right)).toBe(false);
    expect(sameJson(right, left)).toBe(false);
  });

  it('sorts keys by their code units, on every level', () => {
    expect(canonicalJson({ b: { z: 1, a: [{ y: 1, x: 2 }] }, a: 0, ä: 0, A: 0 })).toBe(
      '{"A":0,"a":0,"b":{"a":[{"x":2,"y":1}],"z":1},"ä":0}',
    );
  });
});
