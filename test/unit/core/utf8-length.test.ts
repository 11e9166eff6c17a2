import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8Length } from '../../../src/core/values/json.js';

// Of all lengths alike: left to itself, nearly every character would be one of four bytes.
const characters = fc
  .oneof(
    ...[
      [0, 0x7f],
      [0x80, 0x7ff],
      [0x800, 0xd7ff],
      [0xe000, 0xffff],
      [0x10000, 0x10ffff],
    ].map(([min, max]) => fc.integer({ min: min!, max: max! })),
  )
  .map((point) => String.fromCodePoint(point));

it('counts the bytes of a text as Buffer does', () => {
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 100 }), (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text));
    }),
    { numRuns: 1000 },
  );
});

it.each([
  ['', 0],
  ['a\u0000\u007f', 3],
  ['\u0080\u07ff', 4],
  ['\u0800\uffff', 6],
  ['\u{10000}\u{10ffff}', 8],
])('counts the bytes of %j as %i', (text, bytes) => {
  expect(utf8Length(text)).toBe(bytes);
});
