import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OverflowLanes } from '../../../src/temporal/client/overflow-lanes.js';

const lane = 'event-store/commands/queue/Account/1';

/** By the lane's number, how many of the processes use it. */
function census(processes: readonly OverflowLanes[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const process of processes) {
    const number = process.numberFor(lane);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** Each process has an update under way on its lane, of which the server takes ten. */
function run(processes: readonly OverflowLanes[], rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    for (const process of processes) {
      const number = process.numberFor(lane);
      process.onReply(lane, number, Math.min(10, census(processes).get(number) ?? 0));
    }
  }
}

describe('overflow lanes', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('are not used by a few processes', () => {
    const processes = Array.from({ length: 7 }, () => new OverflowLanes());
    run(processes, 5);
    expect([...census(processes).keys()]).toEqual([0]);
  });

  it('spread fifty processes until no lane has more than the server takes', () => {
    // By luck, all could draw the same place; not fifty of them.
    const processes = Array.from({ length: 50 }, () => new OverflowLanes());
    run(processes, 6);
    expect(Math.max(...census(processes).values())).toBeLessThanOrEqual(10);
  });

  it('are left when it has been calm for a while', () => {
    const processes = Array.from({ length: 30 }, () => new OverflowLanes());
    run(processes, 6);
    const [last] = processes as [OverflowLanes];
    run([last], 1);
    for (let minute = 0; minute < 8; minute++) {
      vi.advanceTimersByTime(60_000);
      run([last], 1);
    }
    expect(last.numberFor(lane)).toBe(0);
  });

  it('are entered by one that is refused, without an answer', () => {
    const processes = Array.from({ length: 50 }, () => new OverflowLanes());
    for (const process of processes) process.onCrowded(lane);
    expect([...census(processes).keys()].sort()).toEqual([0, 1]);
    expect(processes[0]?.numberFor('another lane')).toBe(0);
  });
});
