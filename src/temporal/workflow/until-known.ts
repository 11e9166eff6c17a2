import { maxSearch } from '../shared/command-lane.js';

/**
 * Runs an activity again, as long as workers give it back that don't know enough for it: while a release is rolled out,
 * another may. After 10 seconds the one that gets it refuses it.
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
