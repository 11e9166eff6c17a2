import { describe, expect, it } from 'vitest';
import { estimateMemory } from '../../../src/temporal/activities/commands/memory-size.js';
import { StateCache } from '../../../src/temporal/activities/commands/state-cache.js';

const kilobytes = (count: number): string => 'x'.repeat(count * 500);

/** The streams that are still kept. */
function keptOf(cache: StateCache, streams: readonly string[]): string[] {
  return streams.filter((stream) => {
    const loaded = cache.take(stream);
    if (loaded !== undefined) cache.keep(stream, loaded);
    return loaded !== undefined;
  });
}

describe('the cache of states', () => {
  it('keeps as many as fit into its bytes, and those used last', () => {
    const cache = new StateCache(100, 10_500);
    for (const stream of ['A', 'B', 'C', 'D']) {
      cache.keep(stream, { state: { text: kilobytes(3) }, version: 1 });
    }
    expect(keptOf(cache, ['A', 'B', 'C', 'D'])).toEqual(['B', 'C', 'D']);
  });

  it('keeps as many as it may, however small', () => {
    const cache = new StateCache(2, 1_000_000);
    for (const stream of ['A', 'B', 'C']) cache.keep(stream, { state: {}, version: 1 });
    expect(keptOf(cache, ['A', 'B', 'C'])).toEqual(['B', 'C']);
  });

  it('does not keep a state that is larger than all that it may keep', () => {
    const cache = new StateCache(2, 10_000);
    cache.keep('A', { state: kilobytes(1), version: 1 });
    cache.keep('B', { state: kilobytes(11), version: 1 });
    expect(keptOf(cache, ['A', 'B'])).toEqual(['A']);
  });

  it('sees how a state grows', () => {
    const cache = new StateCache(100, 10_000);
    cache.keep('A', { state: kilobytes(4), version: 1 });
    cache.keep('B', { state: kilobytes(1), version: 1 });
    cache.take('B');
    cache.keep('B', { state: kilobytes(8), version: 2 });
    expect(keptOf(cache, ['A', 'B'])).toEqual(['B']);
  });

  it('sees how a large state grows, though it does not look at each event', () => {
    const cache = new StateCache(100, 1_000_000);
    const state = { numbers: Array.from({ length: 10_000 }, (_, index) => index), text: '' };
    let looks = 0;
    Object.defineProperty(state, 'text', { enumerable: true, get: () => (looks++, kilobytes(looks)) });
    for (let version = 1; version <= 100; version++) {
      cache.keep('A', { state, version });
      cache.take('A');
    }
    expect(looks).toBe(5);
  });

  it('gives a state to one at a time', () => {
    const cache = new StateCache(100, 10_000);
    cache.keep('A', { state: {}, version: 3 });
    expect(cache.take('A')).toEqual({ state: {}, version: 3 });
    expect(cache.take('A')).toBeUndefined();
  });
});

describe('the memory that a value takes', () => {
  class Account {
    readonly names = new Map([['owner', kilobytes(1)]]);
    readonly seen = new Set([kilobytes(1)]);
    readonly picture = new Uint8Array(2_000);
    readonly at = new Date();
    readonly rename = (): string => 'renamed';
    self: unknown = this;
    get broken(): never {
      throw new Error('not now');
    }
  }
  const throwing = Object.defineProperty({ text: kilobytes(1) }, 'broken', {
    enumerable: true,
    get() {
      throw new Error('not now');
    },
  });

  it.each<[string, unknown, number]>([
    ['a text', kilobytes(4), 4_000],
    ['a list', [kilobytes(1), kilobytes(2)], 3_000],
    ['an object with its keys', { text: kilobytes(1), rest: { text: kilobytes(1) } }, 2_000],
    ['many numbers', Array.from({ length: 1_000 }, Math.random), 8_000],
    ['an instance of a class, which refers to itself', new Account(), 4_000],
    ['an object whose getter throws', throwing, 1_000],
    ['nothing', undefined, 8],
  ])('is told of %s', (_what, value, least) => {
    const { bytes } = estimateMemory(value);
    expect(bytes).toBeGreaterThanOrEqual(least);
    expect(bytes).toBeLessThan(least * 1.2 + 400);
  });

  it('is told of what is nested deeper than a stack', () => {
    let nested: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth++) nested = [nested];
    expect(estimateMemory(nested)).toEqual({ bytes: 1_600_016, values: 100_001 });
  });
});
