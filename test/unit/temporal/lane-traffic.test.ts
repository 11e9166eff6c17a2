import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LaneTraffic } from '../../../src/temporal/client/lane-traffic.js';

const lane = 'event-store/commands/queue/Account/1';

/** By the lane's number, how many of the processes use it. */
function census(processes: readonly LaneTraffic[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const process of processes) {
    const number = process.numberFor(lane);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** Each process has an update under way on its lane, of which the server takes ten. */
function run(processes: readonly LaneTraffic[], rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    for (const process of processes) {
      const number = process.numberFor(lane);
      const updatesInFlight = Math.min(10, census(processes).get(number) ?? 0);
      process.onReply(lane, number, { updatesInFlight }, false);
    }
  }
}

describe('overflow lanes', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    // Places that are drawn, but the same in every run: in one of some hundred, more than ten of fifty draw the same.
    let state = 1;
    vi.spyOn(Math, 'random').mockImplementation(() => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('are not used by a few processes', () => {
    const processes = Array.from({ length: 5 }, () => new LaneTraffic(1));
    run(processes, 5);
    expect([...census(processes).keys()]).toEqual([0]);
  });

  it('spread fifty processes until no lane has more than the server takes', () => {
    const processes = Array.from({ length: 50 }, () => new LaneTraffic(1));
    run(processes, 6);
    expect(Math.max(...census(processes).values())).toBeLessThanOrEqual(10);
  });

  it('are many at first, and left by a few processes at once', () => {
    const many = Array.from({ length: 50 }, () => new LaneTraffic(16));
    expect(Math.max(...census(many).values())).toBeLessThanOrEqual(10);
    const few = many.slice(0, 2);
    run(few, 4);
    expect([...census(few).keys()]).toEqual([0]);
    expect(few[0]?.numberFor('another lane')).toBe(0);
  });

  it('are left when it has been calm for a while', () => {
    const processes = Array.from({ length: 30 }, () => new LaneTraffic(1));
    run(processes, 6);
    const [last] = processes as [LaneTraffic];
    run([last], 1);
    for (let minute = 0; minute < 8; minute++) {
      vi.advanceTimersByTime(60_000);
      run([last], 1);
    }
    expect(last.numberFor(lane)).toBe(0);
  });

  it('are entered by one that is refused, without an answer', () => {
    const processes = Array.from({ length: 50 }, () => new LaneTraffic(1));
    for (const process of processes) process.onCrowded(lane);
    expect([...census(processes).keys()].sort()).toEqual([0, 1]);
    expect(processes[0]?.numberFor('another lane')).toBe(0);
  });

  it('are entered by one that was refused at first', () => {
    const processes = Array.from({ length: 50 }, () => new LaneTraffic(1));
    for (const process of processes) process.onReply(lane, 0, { updatesInFlight: 4 }, true);
    expect(census(processes).size).toBe(2);
  });
});

describe('a run that is about to end', () => {
  it('gets no update for a moment, unless it had only one', () => {
    const process = new LaneTraffic(1);
    process.onReply(lane, 0, { updatesInFlight: 1, isEnding: true }, false);
    expect(process.pauseFor(lane, 0)).toBe(0);
    process.onReply(lane, 0, { updatesInFlight: 2, isEnding: true }, false);
    expect(process.pauseFor(lane, 0)).toBeGreaterThan(50);
    expect(process.pauseFor(lane, 1)).toBe(0);
  });
});
