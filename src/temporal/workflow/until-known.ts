import { maxSearch } from '../shared/command-lane.js';

/**
 * Runs an activity again for as long as workers give it back because they don't know enough: while a release is
 * rolled out, another worker may. After 10 seconds, the worker that gets it refuses.
 */
export async function untilKnown<T>(
  run: (givesBack: boolean) => Promise<T>,
  isGivenBack: (result: T) => boolean,
): Promise<T> {
  const began = Date.now();
  for (;;) {
    const isLast = Date.now() - began >= maxSearch;
    const result = await run(!isLast);
    if (isLast || !isGivenBack(result)) return result;
  }
}
