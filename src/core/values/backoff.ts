/** How long to pause between attempts: twice as long after each failure in a row. */
export interface Backoff {
  /** Milliseconds of the first pause. */
  readonly first: number;
  /** Most milliseconds of a pause. */
  readonly longest: number;
  /** Shortens pauses at random, so that callers that failed together don't come back together. Default: not at all. */
  readonly jitter?: {
    /** The part of a pause that it may take away, from 0 to 1. */
    readonly part: number;
    /** A number from 0 to 1, such as `Math.random`. */
    readonly random: () => number;
  };
}

/**
 * @param failures in a row, 1 or more
 * @returns milliseconds
 */
export function pauseAfter(failures: number, { first, longest, jitter }: Backoff): number {
  const pause = Math.min(first * 2 ** (failures - 1), longest);
  return jitter === undefined ? pause : pause * (1 - jitter.part * jitter.random());
}
