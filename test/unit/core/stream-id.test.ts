import fc from 'fast-check';
import { InvalidArgumentError, parseStreamId, streamId } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';

const categories = fc.stringMatching(/^[A-Za-z0-9_]{1,20}$/);
const ids = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 });

describe('streamId', () => {
  it('joins a category and an id, which parseStreamId takes apart again', () => {
    fc.assert(
      fc.property(categories, ids, (category, id) => {
        expect(streamId(category, id)).toBe(`${category}-${id}`);
        expect(parseStreamId(streamId(category, id))).toEqual({ category, id });
      }),
    );
  });

  it.each(['Zahlung_2', 'Платёж', '支払い', '_', '7'])('takes the category %s', (category) => {
    expect(parseStreamId(streamId(category, 'a-b'))).toEqual({ category, id: 'a-b' });
  });

  it.each(['', 'a-b', 'a b', 'a.b', 'a\n', '🙂', null, undefined, 7, 1n, {}, Symbol('s')])(
    'refuses the category %s',
    (category) => {
      expect(() => streamId(category as string, '1')).toThrow(InvalidArgumentError);
    },
  );

  it.each([
    ['an empty text', ''],
    ['a zero character', 'a\u0000'],
    ['a line break', 'a\nb'],
    ['a control character of Latin-1', '\u0085'],
    ['a lone surrogate', '\ud800'],
    ['more than 1,000 bytes with the category', 'x'.repeat(993)],
    ['more than 1,000 bytes of Unicode', 'ü'.repeat(497)],
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['a bigint', 1n],
    ['an object', {}],
  ])('refuses %s as the id', (_what, id) => {
    expect(() => streamId('Account', id as string)).toThrow(InvalidArgumentError);
  });

  it.each(['x', 'ü', '日x', '🙂'])('takes an id of %s that fills the 1,000 bytes of a stream id', (unit) => {
    const id = unit.repeat(992 / Buffer.byteLength(unit));
    expect(parseStreamId(streamId('Account', id)).id).toBe(id);
  });
});

describe('parseStreamId', () => {
  it.each([
    ['Payment-123', 'Payment', '123'],
    ['Payment-a-b-c', 'Payment', 'a-b-c'],
    ['Payment', 'Payment', ''],
    ['Payment-', 'Payment', ''],
    ['-123', '', '123'],
  ])('splits %s at its first dash', (whole, category, id) => {
    expect(parseStreamId(whole)).toEqual({ category, id });
  });
});
