import { InvalidArgumentError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import {
  validatedElsewhere,
  assertOptions,
  integerFrom,
  isFunction,
  isName,
  isPlainObject,
  isSignal,
  oneOf,
  type OptionCheck,
} from '../../../src/core/options/options.js';

const checks = { limit: integerFrom(1), direction: oneOf('up', 'down'), note: validatedElsewhere };

describe('the options of a call', () => {
  it.each([
    undefined,
    {},
    { limit: 1 },
    { limit: undefined, direction: 'up' },
    { note: null },
    Object.create(null),
  ])('may be %j', (options) => {
    expect(() => {
      assertOptions('climb', options, checks);
    }).not.toThrow();
  });

  it.each([
    ['null', null, 'The options of climb must be an object, not null.'],
    ['a string', 'up', 'The options of climb must be an object, not "up".'],
    ['a list', [], 'The options of climb must be an object, not an array.'],
    ['an unknown option', { limt: 1 }, "climb has no option 'limt'. It knows: limit, direction, note."],
    ['a method of objects', { toString: 1 }, "climb has no option 'toString'."],
    ['a wrong type', { limit: '1' }, `The option 'limit' of climb must be an integer from 1, not "1".`],
    ['a wrong word', { direction: 'left' }, `'direction' of climb must be one of 'up', 'down', not "left".`],
    [
      'null for an option',
      { limit: null },
      "The option 'limit' of climb must be an integer from 1, not null.",
    ],
    ['a long text', { limit: 'x'.repeat(1000) }, `not "${'x'.repeat(80)}…".`],
  ])('may not be %s, and the error says so', (_what, options, message) => {
    const check = (): void => {
      assertOptions('climb', options, checks);
    };
    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(message);
  });
});

describe.each<[string, OptionCheck, readonly unknown[], readonly unknown[]]>([
  [
    'an integer from 1',
    integerFrom(1),
    [1, 2 ** 53 - 1],
    [0, -1, 1.5, 2 ** 53, Number.NaN, Infinity, '1', 1n, null],
  ],
  ['one of the words', oneOf('up', 'down'), ['up', 'down'], ['', 'Up', 1, null, ['up']]],
  [
    'a name',
    isName,
    ['a', 'a b', '日本', 'x'.repeat(1000), 'é'.repeat(500)],
    ['', 'x'.repeat(1001), 'é'.repeat(501), 'a\tb', '\u007f', 'x\udc00', 1, null, {}],
  ],
  ['an object', isPlainObject, [{}, Object.create(null)], [[], null, 'x', () => 1]],
  ['a function', isFunction, [() => 1, Date], [{}, null, 'x']],
  [
    'a signal',
    isSignal,
    [new AbortController().signal, AbortSignal.abort(), { aborted: false }],
    [new AbortController(), {}, null, 'x'],
  ],
])('%s', (_what, check, right, wrong) => {
  it('is taken when it is right', () => {
    expect(right.map(check)).toEqual(right.map(() => undefined));
  });

  it('is described when it is wrong', () => {
    expect(wrong.map(check)).toEqual(wrong.map(() => expect.stringMatching(/^an? |^one of /) as unknown));
  });
});
