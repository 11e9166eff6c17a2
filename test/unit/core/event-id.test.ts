import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventIdOf, uuidV5 } from '../../../src/core/events/event-id.js';

const namespace = Buffer.from('5b0f6c1e2d5a4f0b9a3c7e41d826b973', 'hex');

/** RFC 9562, section 5.5, with the hash of Node. */
function expectedUuid(name: string): string {
  const hash = createHash('sha1').update(namespace).update(name, 'utf8').digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

describe('a UUID of version 5', () => {
  it('is the one that node:crypto leads to, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (name) => {
        expect(uuidV5(name)).toBe(expectedUuid(name));
      }),
      { numRuns: 500 },
    );
  });

  // A block of SHA-1 has 64 bytes, 9 of them for padding; the namespace takes 16 of the first.
  // From 337 characters on, there is no room in what is kept for it.
  it.each([...span(36, 50), ...span(100, 114), ...span(164, 178), ...span(335, 338)])(
    'is the one that node:crypto leads to, for %i bytes',
    (length) => {
      expect(uuidV5('x'.repeat(length))).toBe(expectedUuid('x'.repeat(length)));
    },
  );

  it('is the one that node:crypto leads to, for a long text', () => {
    const name = '日本🙂'.repeat(20_000);
    expect(uuidV5(name)).toBe(expectedUuid(name));
  });
});

describe('the id of an event', () => {
  const namespace = '0b5f7a52-3f4c-4c5e-9d43-0d5c8e2f6a11';

  it('never changes: it is part of what is stored', () => {
    const id = eventIdOf(namespace, 'Payment-123', 'commit-1', 0);
    expect(id).toBe(expectedUuid(`["${namespace}","Payment-123","commit-1",0]`));
    expect(id).toBe('2d2e973e-efaa-5273-a265-1bc521d92c76');
  });

  it('differs where the store, the stream, the commit or the place differs', () => {
    const places: readonly (readonly [string, string, string, number])[] = [
      [namespace, 'a', 'b', 0],
      [namespace.replace('0', '1'), 'a', 'b', 0],
      [namespace, 'a', 'b', 1],
      [namespace, 'b', 'a', 0],
      [namespace, 'a', 'b","', 0],
      [namespace, 'a","b', '', 0],
      [namespace, 'a"', 'b', 0],
      [`${namespace}","a`, 'b', '', 0],
    ];
    expect(new Set(places.map((place) => eventIdOf(...place))).size).toBe(places.length);
  });
});

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
