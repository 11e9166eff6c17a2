/** A clock that stands still until it is told otherwise. */
export interface FixedClock {
  (): Date;
  /** Moves on by milliseconds. */
  advance(milliseconds: number): void;
  /** Jumps to a time. */
  set(time: string | Date): void;
}

/**
 * A clock for tests, to be given to a store.
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
