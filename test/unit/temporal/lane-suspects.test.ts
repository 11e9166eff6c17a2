import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Suspects } from '../../../src/temporal/workflows/lane-suspects.js';

const minute = 60_000;
const first = { id: '7', commandId: 'first' };
const second = { id: '7', commandId: 'second' };
const other = { id: '8', commandId: 'other' };

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  onTestFinished(() => void vi.useRealTimers());
});

describe('an aggregate under suspicion', () => {
  it('has all its commands tried apart, until one has gone through', () => {
    const suspects = new Suspects();
    suspects.suspect('7');
    expect([first, second, other].map((command) => suspects.has(command))).toEqual([true, true, false]);
    suspects.onOutcome(first);
    expect(suspects.has(second)).toBe(false);
    expect(suspects.isEmpty).toBe(true);
  });

  it('is forgotten after 5 minutes without a loss', () => {
    const suspects = new Suspects();
    suspects.onHeldUp(first);
    vi.setSystemTime(5 * minute - 1);
    expect(suspects.isRefused(first)).toBe(true);
    vi.setSystemTime(5 * minute);
    expect(suspects.isRefused(first)).toBe(false);
    expect(suspects.toList()).toEqual([]);
  });

  it('gives way to newer ones when there are a thousand', () => {
    const suspects = new Suspects();
    for (let id = 0; id <= 1_000; id++) suspects.suspect(`${id}`);
    expect(suspects.has({ id: '0', commandId: 'a' })).toBe(false);
    expect(suspects.has({ id: '1', commandId: 'a' })).toBe(true);
  });
});

describe('a command is refused', () => {
  it('after two workers that said they were deciding it; the others to its aggregate go together again', () => {
    const suspects = new Suspects();
    suspects.onLost(first);
    expect(suspects.isRefused(first)).toBe(false);
    suspects.onLost(first);
    expect(suspects.isRefused(first)).toBe(true);
    expect(suspects.isRefused(second)).toBe(false);
    suspects.onOutcome(second);
    expect([first, second].map((command) => suspects.has(command))).toEqual([true, false]);
  });

  it('with all others to its aggregate, when two of them lost their workers in a row', () => {
    const suspects = new Suspects();
    suspects.onLost(first);
    suspects.onOutcome(other);
    suspects.onLost(second);
    expect(suspects.isRefused({ id: '7', commandId: 'third' })).toBe(true);
    expect(suspects.isRefused(other)).toBe(false);
  });

  it('after one worker that said so, when another was lost that could not say', () => {
    const suspects = new Suspects();
    suspects.onDoubt(first, false);
    suspects.onLost(first);
    expect(suspects.isRefused(first)).toBe(true);
  });

  it('not for a worker that had not begun with it', () => {
    const suspects = new Suspects();
    for (let time = 0; time < 3; time++) suspects.onDoubt(first, true);
    expect(suspects.isRefused(first)).toBe(false);
    expect(suspects.has(first)).toBe(true);
  });

  it('by the next run, too', () => {
    const suspects = new Suspects();
    suspects.onLost(first);
    suspects.suspect('8');
    const list = suspects.toList();
    expect(list).toEqual([{ id: '7', losses: { first: 1 }, lostInARow: ['first'], lostAt: 0 }]);
    const next = new Suspects(JSON.parse(JSON.stringify(list)) as typeof list);
    next.onLost(first);
    expect(next.isRefused(first)).toBe(true);
  });
});
