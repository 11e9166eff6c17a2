import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorClasses } from '../../../src/core/errors/error-classes.js';
import { everyError } from '../fixtures/every-error.js';

const guide = readFileSync(new URL('../../../docs/guide/concepts.md', import.meta.url), 'utf8');
const table = guide.slice(guide.indexOf('## Errors'));

it('all error classes have an example', () => {
  expect(everyError.map(({ name }) => name).sort()).toEqual(
    errorClasses.map(({ prototype }) => prototype.name).sort(),
  );
});

describe.each(everyError)('$name', ({ name, code }) => {
  it('and its code are the same words', () => {
    const words = name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
    expect([words, words.replace(/_ERROR$/, '')]).toContain(code);
  });

  it('is in the table of the guide', () => {
    expect(table).toMatch(new RegExp(`^\\|.*\`${code}\`.*\\|.*\\|$`, 'm'));
  });
});
