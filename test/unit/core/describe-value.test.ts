import { describe, expect, test } from 'vitest';
import { describeValue } from '../../../src/core/values/describe-value.js';

describe('a value in an error message', () => {
  test.each([
    ['postgres://user:s3cret@localhost/db', '"postgres://user:…@localhost/db"'],
    ['postgres://user:s3:c@r/e?t#@localhost/db', '"postgres://user:…@localhost/db"'],
    ['postgres://:s3cret@localhost', '"postgres://:…@localhost"'],
    [
      'postgres://localhost/db?user=me&password=s3cret&ssl=1',
      '"postgres://localhost/db?user=me&password=…&ssl=1"',
    ],
    [`postgres://user:${'s3cret'.repeat(20)}@localhost/db`, '"postgres://user:…@localhost/db"'],
  ])('does not show the password of %s', (address, shown) => {
    expect(describeValue(address)).toBe(shown);
  });

  test.each([
    ['http://localhost:8080/path', '"http://localhost:8080/path"'],
    ['me@example.org: hello', '"me@example.org: hello"'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
  ])('shows %s otherwise', (text, shown) => {
    expect(describeValue(text)).toBe(shown);
  });

  test.each([
    [-1.5, '-1.5'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [12n, '12'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[1], 'an array'],
    [{ a: 1 }, 'an object'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
  ])('shows what else there is: %s', (value, shown) => {
    expect(describeValue(value)).toBe(shown);
  });
});
