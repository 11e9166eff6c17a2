import type { Able } from '../contenders/contender.js';
import { withClient } from '../databases.js';

export interface Reading {
  readonly eventsPerSecond: number;
  /** Whether it came to the end of the store in the time that it had. */
  readonly isWhole: boolean;
}

const pageSize = 1000;

/** Reads a store from its start, and checks that what it read is what is stored, each event once and in order. */
export async function readStore(
  session: Able<'catchUp'>,
  stored: Float64Array,
  maxSeconds: number,
): Promise<Reading> {
  const start = performance.now();
  const end = start + maxSeconds * 1000;
  let count = 0;
  let firstWrong: number | undefined;
  await session.catchUp(pageSize, (ref) => {
    if (ref !== stored[count]) firstWrong ??= count;
    count++;
    // A look at the clock costs as much as the rest of this.
    return count % pageSize !== 0 || performance.now() < end;
  });
  const seconds = (performance.now() - start) / 1000;
  if (firstWrong !== undefined)
    throw new Error(`Event ${firstWrong + 1} of the store was not read in order.`);
  return { eventsPerSecond: count / seconds, isWhole: count === stored.length };
}

/** The refs of all stored events, in the order of the query. */
export async function storedRefs(url: string, storedSql: string): Promise<Float64Array> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ ref: string }>(storedSql);
    return Float64Array.from(rows, ({ ref }) => Number(ref));
  });
}
