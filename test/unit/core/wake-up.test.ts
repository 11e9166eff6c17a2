import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WakeUp } from '../../../src/core/store/read/wake-up.js';

let wakeUp: WakeUp;

beforeEach(() => {
  vi.useFakeTimers();
  wakeUp = new WakeUp();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether a wait of a minute has ended. */
function startWaiting(): { hasEnded: boolean } {
  const waiting = { hasEnded: false };
  void wakeUp.wait(60_000).then(() => (waiting.hasEnded = true));
  return waiting;
}

describe('a wait', () => {
  it('takes its time where nobody wakes', async () => {
    const waiting = startWaiting();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(waiting.hasEnded).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(waiting.hasEnded).toBe(true);
  });

  it('ends when somebody wakes, and leaves no timer', async () => {
    const waiting = startWaiting();
    wakeUp.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(waiting.hasEnded).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that begins after somebody woke ends at once, until the next reset', async () => {
    wakeUp.wake();
    const first = startWaiting();
    await vi.advanceTimersByTimeAsync(0);
    expect(first.hasEnded).toBe(true);

    wakeUp.reset();
    const second = startWaiting();
    await vi.advanceTimersByTimeAsync(0);
    expect(second.hasEnded).toBe(false);
  });
});
