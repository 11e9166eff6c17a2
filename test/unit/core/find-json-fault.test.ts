import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault, formatPathSegment, maxJsonDepth } from '../../../src/core/values/json.js';

/** Any character that UTF-8 can hold. */
const characters = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point));

// What a store does with each of these is in the conformance suite; here is what it can't say.
describe('findJsonFault', () => {
  it('passes every JSON value, which comes back as it went in', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: characters }), (value) => {
        expect(findJsonFault(value)).toBeUndefined();
        // JSON has no -0.
        const expected = JSON.parse(JSON.stringify(value)) as unknown;
        expect(JSON.stringify(expected)).toBe(JSON.stringify(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('passes a value exactly when JSON gives it back unchanged, whatever it is made of', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      stringUnit: characters,
    });
    fc.assert(
      fc.property(anything, (value) => {
        if (findJsonFault(value) === undefined) expect(shape(throughJson(value))).toEqual(shape(value));
        else expect(shape(throughJson(value))).not.toEqual(shape(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('says where the fault is, so that following the path leads there', () => {
    const fault = fc.constantFrom<unknown>(Number.NaN, 1n, Symbol('s'), new Date(0), 'x\ud800');
    const path = fc.array(
      fc.oneof(
        fc.string().filter((key) => key !== '__proto__'),
        fc.nat({ max: 3 }),
      ),
      {
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(fault, path, (value, keys) => {
        const root = keys.reduceRight<unknown>(
          (below, key) =>
            typeof key === 'number'
              ? [...Array.from({ length: key }, () => null), below]
              : { [key]: below, before: 0 },
          value,
        );
        expect(findJsonFault(root)?.path).toBe(keys.map(formatPathSegment).join(''));
      }),
    );
  });

  it('passes plain data of another realm', () => {
    expect(findJsonFault(runInNewContext('({ lines: [{ price: 1 }, null], note: "x" })'))).toBeUndefined();
  });

  it('refuses an instance of another realm', () => {
    expect(findJsonFault(runInNewContext('({ at: new Date(0) })'))?.path).toBe('.at');
    expect(findJsonFault(runInNewContext('new (class Money { amount = 1 })()'))?.problem).toContain('Money');
  });

  it.each([
    ['objects', (below: unknown) => ({ below })],
    ['arrays', (below: unknown) => [below]],
  ])(`takes ${maxJsonDepth} levels of %s, and no more, without recursion`, (_what, around) => {
    const nested = (levels: number): unknown =>
      Array.from({ length: levels }).reduce<unknown>((below) => around(below), 0);

    expect(findJsonFault(nested(maxJsonDepth))).toBeUndefined();
    expect(findJsonFault(nested(maxJsonDepth + 1))?.problem).toContain('deeper than 1000');
    expect(findJsonFault(nested(200_000))?.problem).toContain('deeper than 1000');
  });

  it('tells a value that stands in two places from a cycle', () => {
    const shared = { a: [1] };
    expect(findJsonFault([shared, shared, { again: shared }])).toBeUndefined();
    expect(findJsonFault([shared, Object.assign([], { 0: shared })])).toBeUndefined();
  });

  it.each([
    ['a hidden property', Object.defineProperty({}, 'secret', { value: 1 }), 'secret'],
    ['a property named by a symbol', { [Symbol('tag')]: 1 }, 'Symbol(tag)'],
    ['a named property of an array', Object.assign([1, 2], { total: 3 }), 'total'],
    ['a hidden property beside others', Object.defineProperty({ a: 1 }, 'secret', { value: 1 }), 'secret'],
    ['a symbol beside others', { a: 1, [Symbol('tag')]: 1 }, 'Symbol(tag)'],
    ['a symbol of an array', Object.assign([1], { [Symbol('tag')]: 1 }), 'Symbol(tag)'],
    ['a property of an array that only looks like an index', Object.assign([1], { '01': 2 }), '01'],
  ])('names %s that JSON would drop', (_what, value, name) => {
    const problem = `has a property ${name}, which JSON drops`;
    expect(findJsonFault(value)).toEqual({ path: '', problem });
    expect(findJsonFault({ value })).toEqual({ path: '.value', problem });
  });

  it.each([
    ['a Date', new Date(0)],
    [
      'a Money',
      new (class Money {
        amount = 1;
      })(),
    ],
    [
      'an object that is not plain',
      new (class {
        amount = 1;
      })(),
    ],
    ['an object that is not plain', Object.create({ a: 1 })],
    ['an object that is not plain', Object.create(Object.create(null) as object)],
    ['an object that is not plain', Object.create({ constructor: { name: 7 } })],
  ])('says that it found %s', (what, value) => {
    const problem = `is ${what}, which JSON would change; use plain data`;
    expect(findJsonFault([value])).toEqual({ path: '[0]', problem });
  });
});

function throughJson(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? nothing : (JSON.parse(text) as unknown);
  } catch {
    return nothing;
  }
}

const nothing = Symbol('nothing');

/** A value as text in which everything that JSON would change shows; absent and undefined properties are the same. */
function shape(value: unknown): string {
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : 'a lone surrogate';
  if (typeof value === 'number') return value === 0 ? '0' : String(value);
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)}`;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (Array.isArray(value)) {
    return `[${Array.from(value, (part, index) => (index in value ? shape(part) : 'hole')).join()}]`;
  }
  if (prototype !== null && prototype !== Object.prototype) return `instance ${prototype.constructor.name}`;
  const parts = Reflect.ownKeys(value).map((key) => {
    const part = (value as Record<PropertyKey, unknown>)[key];
    const name = typeof key === 'symbol' ? String(key) : shape(key);
    return part === undefined && typeof key === 'string' ? '' : `${name}:${shape(part)}`;
  });
  return `{${parts.filter((part) => part !== '').join()}}`;
}
