import { describe, expect, it } from 'vitest';
import { takeFairly } from '../../../src/temporal/shared/take-fairly.js';

const upTo = (limit: number): (() => boolean) => {
  let count = 0;
  return () => ++count <= limit;
};
const take = (waiting: readonly string[], limit: number): readonly string[] =>
  takeFairly(waiting, (item) => item.charAt(0), upTo(limit));

describe('taking fairly', () => {
  it('gives each aggregate its turn, so that one with many commands leaves room for the others', () => {
    expect(take(['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'], 4)).toEqual(['a1', 'b1', 'c1', 'a2']);
  });

  it('keeps the order within an aggregate, and takes all where there is room', () => {
    expect(take(['a1', 'b1', 'a2', 'a3'], 9)).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect(take(['a1', 'a2', 'b1', 'a3'], 9).filter((item) => item.startsWith('a'))).toEqual([
      'a1',
      'a2',
      'a3',
    ]);
  });

  it('takes nothing of nothing', () => {
    expect(take([], 3)).toEqual([]);
  });
});
