import type { Client } from 'pg';
import type { EventStore, ReadAllOptions } from 'temporal-event-store';
import { connect, query } from './postgres.js';

/** A reader that follows all events and keeps its place between two polls. */
export interface Consumer {
  /** The positions of the events that it got, in the order in which it got them. */
  readonly seen: readonly number[];
  /** Reads on to the end, as far as it can. */
  poll(): Promise<void>;
}

/** Follows the store as its users do: on from the position of the last slice. */
export function consumerOf(
  store: EventStore,
  options: Pick<ReadAllOptions, 'filter' | 'limit'> = {},
): Consumer {
  const seen: number[] = [];
  let after = 0;
  return {
    seen,
    async poll() {
      for (let isEnd = false; !isEnd;) {
        const slice = await store.readAll({ ...options, after });
        seen.push(...slice.events.map((event) => event.position));
        ({ position: after, isEnd } = slice);
      }
    },
  };
}

/**
 * What is wrong with what a consumer got, against what is stored as SQL tells it: the checker of the interleavings.
 *
 * @param condition which of the stored events it was to get
 */
export async function faultsOf(
  { seen }: Consumer,
  directUrl: string,
  condition = 'true',
): Promise<readonly string[]> {
  const stored = await positionsWhere(directUrl, condition);
  return [
    ...stored.filter((position) => !seen.includes(position)).map((position) => `${position} is lost`),
    ...seen.filter((position) => !stored.includes(position)).map((position) => `${position} is not stored`),
    ...seen
      .filter((position, index) => index > 0 && position <= seen[index - 1]!)
      .map((position) => `${position} comes again or late`),
  ];
}

/** The designs that lose events, for the tests to show that they would notice. */

/** Remembers the highest position that it saw. */
export function positionCursor(directUrl: string): Consumer {
  return cursor((after) => positionsWhere(directUrl, `position > ${after}`));
}

/** Reads what older transactions than the oldest one that runs have written, by position. */
export function transactionHorizon(directUrl: string): Consumer {
  return cursor((after) =>
    positionsWhere(
      directUrl,
      `position > ${after} and xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`,
    ),
  );
}

/** Reads events of one type, and goes on from the end of the store. */
export function filteredCursor(directUrl: string, type: string): Consumer {
  const seen: number[] = [];
  let after = 0;
  return {
    seen,
    async poll() {
      const [row] = await query<{ positions: string[] | null; last: string }>(
        directUrl,
        `select array_agg(position order by position) filter (where position > $1 and type = $2) as positions,
           coalesce(max(position), 0) as last from event_store.events`,
        [after, type],
      );
      seen.push(...(row!.positions ?? []).map(Number));
      after = Number(row!.last);
    },
  };
}

/** Waits for every number, so that one which was rolled back holds it up for ever. */
export function contiguousCursor(directUrl: string): Consumer {
  return cursor(async (after) =>
    contiguousPart(after, await positionsWhere(directUrl, `position > ${after}`)),
  );
}

/** Takes a gap that stays for so long for one that was rolled back. */
export function impatientCursor(directUrl: string, patience: number): Consumer {
  return cursor(async (after) => {
    const deadline = performance.now() + patience;
    for (;;) {
      const positions = await positionsWhere(directUrl, `position > ${after}`);
      const part = contiguousPart(after, positions);
      if (part.length === positions.length || performance.now() > deadline) return positions;
    }
  });
}

/** Waits at a gap until the lock of the appends is held by none of those that held it: told apart by this column. */
export function lockWatcher(directUrl: string, identity: 'pid' | 'virtualtransaction'): Consumer {
  let observer: Client | undefined;
  const holders = async (): Promise<(string | null)[]> => {
    observer ??= await connect(directUrl);
    const { rows } = await observer.query<{ holder: string | null }>(
      `select l.${identity}::text as holder from pg_locks l, event_store.append_lock() k
       where l.locktype = 'advisory' and l.objsubid = 2 and l.classid::bigint = k.class
         and l.database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.map(({ holder }) => holder);
  };
  return cursor(async (after) => {
    const before = await positionsWhere(directUrl, `position > ${after}`);
    if (contiguousPart(after, before).length === before.length) return before;
    let waitingFor = (await holders()).filter((holder) => holder !== null);
    while (waitingFor.length > 0) {
      const now = await holders().catch(() => {
        // The server is down: nobody can be asked, and this connection is gone.
        observer = undefined;
        return waitingFor;
      });
      waitingFor = waitingFor.filter((holder) => now.includes(holder));
    }
    return positionsWhere(directUrl, `position > ${after} and position <= ${before.at(-1)!}`);
  });
}

function cursor(next: (after: number) => Promise<readonly number[]>): Consumer {
  const seen: number[] = [];
  return {
    seen,
    async poll() {
      seen.push(...(await next(seen.at(-1) ?? 0)));
    },
  };
}

function contiguousPart(after: number, positions: readonly number[]): readonly number[] {
  return positions.filter((position, index) => position === after + index + 1);
}

async function positionsWhere(directUrl: string, condition: string): Promise<number[]> {
  const rows = await query<{ position: string }>(
    directUrl,
    `select position from event_store.events where ${condition} order by position`,
  );
  return rows.map(({ position }) => Number(position));
}
