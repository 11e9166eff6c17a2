/** A clock that stands still until you move it. */
export interface FixedClock {
  (): Date;
  /** Moves the clock on by milliseconds. */
  advance(milliseconds: number): void;
  /** Jumps to a time. */
  set(time: string | Date): void;
}

/**
 * Makes a clock for tests, for the `clock` option of `MemoryEventStore`.
 *
 * @param start default `2024-01-01T00:00:00.000Z`
 * @throws RangeError when the start is not a time
 * @example
 * const clock = fixedClock();
 * const store = new MemoryEventStore({ clock });
 * clock.advance(60_000);
 */
export function fixedClock(start: string | Date = '2024-01-01T00:00:00.000Z'): FixedClock {
  let now = parse(start);
  return Object.assign(() => new Date(now), {
    advance(milliseconds: number) {
      now += milliseconds;
    },
    set(time: string | Date) {
      now = parse(time);
    },
  });
}

function parse(time: string | Date): number {
  const parsed = new Date(time).getTime();
  if (Number.isNaN(parsed)) throw new RangeError(`Not a time: ${String(time)}`);
  return parsed;
}
