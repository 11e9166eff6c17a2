import { describe, expect, it } from 'vitest';
import { pauseAfter } from '../../../src/core/values/backoff.js';

describe('a backoff', () => {
  it('doubles from the first pause to the longest', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 2_000].map((failures) =>
      pauseAfter(failures, { first: 20, longest: 300 }),
    );
    expect(pauses).toEqual([20, 40, 80, 160, 300, 300, 300]);
  });

  it.each([
    [0, 80],
    [0.5, 60],
    [1, 40],
  ])('takes away the part that chance has: %d', (random, pause) => {
    const jitter = { part: 0.5, random: () => random };
    expect(pauseAfter(3, { first: 20, longest: 300, jitter })).toBe(pause);
  });
});
