import { expect, it } from 'vitest';
import { shardOf } from '../../../src/core/projections/shard-of.js';

it.each([
  ['', 202364],
  ['a', 114868],
  ['Account-1', 798175],
  ['Account-2', 21066],
  ['Konto-ü', 646830],
  ['Konto-日本🙂', 886109],
])('the shard of %j never changes: builds are kept by it', (streamId, shard) => {
  expect(shardOf(streamId, 1_000_000)).toBe(shard);
});

it('shards are about equal, also for ids that end in a running number', () => {
  const counts = [0, 0, 0, 0];
  for (let id = 0; id < 10_000; id++) counts[shardOf(`Account-${id}`, 4)]!++;
  for (const count of counts) expect(Math.abs(count - 2_500)).toBeLessThan(250);
});

it('one shard has all', () => {
  expect(['a', 'b', 'c'].map((streamId) => shardOf(streamId, 1))).toEqual([0, 0, 0]);
});
