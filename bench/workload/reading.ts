import type { Able, ReadEvent } from '../contenders/contender.js';
import { withClient } from '../databases.js';

export interface Reading {
  readonly eventsPerSecond: number;
  readonly faults: ReadFaults;
}

/** What a reader must not do, counted. */
export type ReadFaults = Readonly<Record<'lost' | 'duplicated' | 'misplaced', number>>;

const pageSize = 1000;

/** Reads a store from its start, and then compares what it read with what is stored. */
export async function readStore(
  session: Able<'catchUp'>,
  stored: readonly number[],
  maxSeconds: number,
): Promise<Reading> {
  const read: number[] = [];
  let isWhole = true;
  const start = performance.now();
  const end = start + maxSeconds * 1000;
  await session.catchUp(pageSize, ({ data }) => {
    read.push(data.ref);
    // A look at the clock costs as much as the rest of this.
    if (read.length % pageSize === 0) isWhole = performance.now() < end;
    return isWhole;
  });
  const seconds = (performance.now() - start) / 1000;
  return {
    eventsPerSecond: read.length / seconds,
    faults: countFaults(read, isWhole ? stored : stored.slice(0, read.length)),
  };
}

export function countFaults(read: readonly number[], stored: readonly number[]): ReadFaults {
  const distinct = new Set(read);
  return {
    lost: stored.filter((ref) => !distinct.has(ref)).length,
    duplicated: read.length - distinct.size,
    misplaced: read.filter((ref, index) => ref !== stored[index]).length,
  };
}

/** The refs of all stored events, in the order of the query. */
export async function storedRefs(url: string, storedSql: string): Promise<readonly number[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ ref: string }>(storedSql);
    return rows.map(({ ref }) => Number(ref));
  });
}

/** The first events of a whole store. */
export async function readStart(session: Able<'catchUp'>, count: number): Promise<readonly ReadEvent[]> {
  const events: ReadEvent[] = [];
  await session.catchUp(pageSize, (event) => events.push(event) < count);
  return events;
}
