import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValues } from '../../../src/postgres/binary-array.js';
import { arrayOf } from '../../../src/sql/sql-port.js';

const oids = { text: 25, json: 114, uuid: 2950, integer: 23, bigint: 20 };
const elements: Record<keyof typeof oids, fc.Arbitrary<string | number>> = {
  text: fc.string({ unit: 'grapheme' }),
  json: fc.json(),
  uuid: fc.uuid(),
  integer: fc.integer(),
  bigint: fc.maxSafeInteger(),
};
type Type = keyof typeof oids;

/** An array as array_send of PostgreSQL writes it. */
function expectedArray(type: Type, values: readonly (string | number | null)[]): Buffer {
  const header = [values.length === 0 ? 0 : 1, Number(values.includes(null)), oids[type]];
  if (values.length > 0) header.push(values.length, 1);
  const parts = values.map((value) => {
    if (value === null) return int32(-1);
    const bytes = expectedElement(type, value);
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return Buffer.concat([...header.map(int32), ...parts]);
}

function expectedElement(type: Type, value: string | number): Buffer {
  if (type === 'integer') return int32(value as number);
  if (type === 'uuid') return Buffer.from(String(value).replaceAll('-', ''), 'hex');
  if (type !== 'bigint') return Buffer.from(String(value));
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

describe('encodeValues', () => {
  const array = fc
    .constantFrom<Type>('text', 'json', 'uuid', 'integer', 'bigint')
    .chain((type) => fc.record({ type: fc.constant(type), values: fc.array(fc.option(elements[type])) }));

  it('writes arrays as PostgreSQL reads them, whatever they hold and stand beside', () => {
    fc.assert(
      fc.property(fc.array(array, { maxLength: 5 }), (arrays) => {
        expect(encodeValues(arrays.map(({ type, values }) => arrayOf(type, values)))).toEqual(
          arrays.map(({ type, values }) => expectedArray(type, values)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    0,
    1,
    -1,
    -2,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 32),
    2 ** 53 - 1,
    1 - 2 ** 53,
  ])('writes %i as a bigint', (value) => {
    expect(encodeValues([arrayOf('bigint', [value])])).toEqual([expectedArray('bigint', [value])]);
  });

  it('leaves other values as they are', () => {
    expect(encodeValues(['text', 1, true, null])).toEqual(['text', 1, true, null]);
    expect(encodeValues([null, arrayOf('text', ['a']), 2])).toEqual([null, expectedArray('text', ['a']), 2]);
  });

  it('reads an id in capitals, too', () => {
    const id = '6CCCAF68-AA36-544D-81BD-AEFC716E273A';
    expect(encodeValues([arrayOf('uuid', [id])])).toEqual([expectedArray('uuid', [id])]);
  });
});
