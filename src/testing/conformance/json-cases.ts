import type { JsonValue } from '../../core/values/json.js';
import { errorOf, event, type Suite } from './suite.js';

/** JSON of this many levels of arrays. */
function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

class Money {
  readonly amount = 1;
}

export function describeJson({ describe, it, expect }: Suite): void {
  describe('what goes in comes out', () => {
    for (const [what, data] of [
      ['null', null],
      ['false, zero and empty text', [false, 0, '', [], {}]],
      ['the ends of the number range', [Number.MAX_SAFE_INTEGER, -1e308, 5e-324, 0.1]],
      [
        'numbers with all their digits',
        [0.1 + 0.2, 1 / 3, 123456789.12345679, 2 ** 31, -(2 ** 53) + 1, 1e21, 1e-7],
      ],
      ['keys in their order', { b: 1, a: { z: 1, y: 2 }, B: 3, aa: 4 }],
      ['text in each Unicode form', ['caf\u00e9', 'cafe\u0301', '\ufb01', { '\u00e9': 1, 'e\u0301': 2 }]],
      ['spaces at the ends of text', [' a ', '\ta\n', ' ', { ' a ': 1, a: 2 }]],
      [
        'text that looks like something else',
        ['1', 'null', '2024-01-01T00:00:00Z', '2024-01-01', 'true', '{}'],
      ],
      ['every kind of text', 'zero \u0000, quote ", \\, \u2028, emoji 🙂, 日本'],
      ['keys that are methods of objects', { constructor: 1, toString: 2, hasOwnProperty: 3, length: 4 }],
      ['keys of every kind', { '': 1, 'a b': 2, '0': 3, '\u0000': 4, ключ: 5 }],
      ['__proto__ as a key', JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":1}}')],
      ['toJSON as data', { toJSON: 'not a function' }],
      ['1,000 levels', nested(1000)],
      ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ] as const) {
      it(`keeps ${what}`, async (store, category) => {
        await store.appendToStream(`${category}-1`, [event('Happened', data)]);
        const [stored] = (await store.readStream(`${category}-1`)).events;
        expect(JSON.stringify(stored?.data)).toBe(JSON.stringify(data));
      });
    }

    it('keeps all of this in metadata, too', async (store, category) => {
      const metadata = {
        numbers: [Number.MAX_SAFE_INTEGER, -1e308, 5e-324, 0.1 + 0.2],
        text: ['zero \u0000, quote ", \\, \u2028, 🙂', 'caf\u00e9', 'cafe\u0301', ' a '],
        keys: { z: 1, a: 2, '': 3, constructor: 4, 'a b': 5 },
        nothing: [null, false, 0, '', [], {}],
        proto: JSON.parse('{"__proto__":{"admin":true},"a":1}') as JsonValue,
      };
      await store.appendToStream(`${category}-1`, [{ ...event(), metadata }]);
      const [stored] = (await store.readStream(`${category}-1`)).events;
      expect(JSON.stringify(stored?.metadata)).toBe(JSON.stringify(metadata));
    });

    it('takes an undefined property for an absent one, and -0 for 0', async (store, category) => {
      await store.appendToStream(`${category}-1`, [
        event('Happened', { a: undefined, b: -0, c: { d: undefined } }),
      ]);
      const [stored] = (await store.readStream(`${category}-1`)).events;
      const data = stored?.data as { readonly b: number; readonly c: object };
      // Their text would hide both.
      expect([Object.keys(data), Object.keys(data.c)]).toEqual([['b', 'c'], []]);
      expect(Object.is(data.b, 0)).toBe(true);
    });

    it('keeps a value that stands in two places', async (store, category) => {
      const shared = { a: 1 };
      await store.appendToStream(`${category}-1`, [event('Happened', { left: shared, right: [shared] })]);
      const [stored] = (await store.readStream(`${category}-1`)).events;
      expect(stored?.data).toEqual({ left: { a: 1 }, right: [{ a: 1 }] });
    });

    const cycle: Record<string, unknown> = {};
    cycle['self'] = { again: cycle };
    for (const [what, data, path] of [
      ['NaN', { lines: [{}, {}, { price: Number.NaN }] }, '.lines[2].price'],
      ['Infinity', [Number.POSITIVE_INFINITY], '[0]'],
      ['-Infinity', { a: Number.NEGATIVE_INFINITY }, '.a'],
      ['a bigint', { a: 1n }, '.a'],
      ['a symbol', { a: Symbol('s') }, '.a'],
      ['a function', { a: () => 1 }, '.a'],
      ['undefined in an array', { a: [1, undefined] }, '.a[1]'],
      ['a hole in an array', { a: [1, , 3] }, '.a[1]'], // eslint-disable-line no-sparse-arrays
      ['a Date', { at: new Date(0) }, '.at'],
      ['a Map', { a: new Map() }, '.a'],
      ['a Set', { a: new Set() }, '.a'],
      ['a typed array', { a: new Uint8Array(2) }, '.a'],
      ['an instance of a class', { total: new Money() }, '.total'],
      ['an object with toJSON', { a: { toJSON: () => 1 } }, '.a'],
      ['a boxed number', { a: Object(1) as unknown }, '.a'],
      ['an Error', { a: new Error('x') }, '.a'],
      ['a cycle', cycle, '.self.again'],
      ['a lone surrogate', { a: 'x\udc00' }, '.a'],
      ['a lone surrogate in a key', { 'x\udc00': 1 }, '["x\\udc00"]'],
      ['a symbol as a key', { a: { [Symbol('s')]: 1 } }, '.a'],
      ['a named property of an array', { a: Object.assign([1], { total: 1 }) }, '.a'],
      ['odd names on the way', { 'a b': { '0': [Number.NaN] } }, '["a b"]["0"][0]'],
      ['1,001 levels', nested(1001), '[0]'.repeat(1000)],
      ['10,000 levels', nested(10_000), '[0]'.repeat(1000)],
      ['undefined as the data', undefined, ''],
    ] as const) {
      it(`refuses ${what} with its path`, async (store, category) => {
        const error = await errorOf(store.appendToStream(`${category}-1`, [{ type: 'Happened', data }]));
        expect(error).toMatchObject({ code: 'INVALID_EVENT', path: `events[0].data${path}` });
        expect((await store.readStream(`${category}-1`)).version).toBe(0);
      });
    }

    it('takes a commit of 1.9 MB', async (store, category) => {
      const text = 'x'.repeat(1_900_000);
      await store.appendToStream(`${category}-1`, [event('Happened', { text })]);
      const [stored] = (await store.readStream(`${category}-1`)).events;
      expect((stored?.data as { text: string }).text === text).toBe(true);
    });

    for (const [what, texts] of [
      ['one event of 2.1 MB', ['x'.repeat(2_100_000)]],
      ['700,001 characters of 3 bytes', ['日'.repeat(700_001)]],
      ['three events of 0.7 MB', Array.from({ length: 3 }, () => 'x'.repeat(700_000))],
    ] as const) {
      it(`refuses ${what}`, async (store, category) => {
        const given = texts.map((text) => event('Happened', { text }));
        const error = await errorOf(store.appendToStream(`${category}-1`, given));
        expect(error).toMatchObject({ code: 'EVENT_TOO_LARGE', limit: 2_000_000 });
        expect((error as { size: number }).size > 2_000_000).toBe(true);
        expect((await store.readStream(`${category}-1`)).version).toBe(0);
      });
    }

    it('does not change when the caller changes its objects later', async (store, category) => {
      const data = { lines: [1] };
      const tags = ['a'];
      const append = store.appendToStream(`${category}-1`, [{ ...event('Happened', data), tags }]);
      data.lines.push(2);
      tags.push('b');
      await append;
      const [read] = (await store.readStream(`${category}-1`)).events;
      (read?.data as typeof data).lines.push(3);
      const [readAgain] = (await store.readStream(`${category}-1`)).events;

      expect(readAgain).toMatchObject({ data: { lines: [1] }, tags: ['a'] });
    });
  });
}
