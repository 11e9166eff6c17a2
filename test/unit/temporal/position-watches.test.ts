import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PositionWatches } from '../../../src/temporal/activities/projections/position-watches.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('looks at once when a shard has moved, also after the time of others was up', async () => {
  let position = 0;
  const watches = new PositionWatches(() => Promise.resolve(position));
  const awaited = { name: 'balances', from: 5, to: 5 };
  const brief = watches.wait({ ...awaited, timeout: 50 });
  const patient = watches.wait({ ...awaited, timeout: 60_000 });
  await vi.advanceTimersByTimeAsync(1_060);
  expect(await brief).toEqual({ position: 0 });
  // That of its pause.
  expect(vi.getTimerCount()).toBe(1);

  position = 5;
  watches.moved('balances');
  await vi.advanceTimersByTimeAsync(10);
  expect(await Promise.race([patient, Promise.resolve('still waiting')])).toEqual({ position: 5 });
});
