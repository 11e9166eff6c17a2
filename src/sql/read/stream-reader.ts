import { eventIdOf } from '../../core/events/event-id.js';
import type { DomainEvent, RecordedEvent } from '../../core/events/event.js';
import type { StoredEvent } from '../../core/store/append/stored-event.js';
import type { ReadDirection, StreamSlice } from '../../core/store/event-store.js';
import type { StreamRead } from '../../core/store/read/read-options.js';
import { eq, ge, le, minus, plus } from '../operators.js';
import { arrayOf, statement, type SqlPort, type SqlStatement } from '../sql-port.js';
import {
  chunkColumns,
  chunkOfMany,
  eventColumns,
  eventSize,
  fittingEvents,
  headerColumns,
  readChunks,
  readEvents,
  readPage,
  smallEvents,
} from './event-row.js';

type Order = 'asc' | 'desc';

/** Events read as one row, and most bytes of each. */
const chunk = { events: 64, bytesPerEvent: 16_384 };

/** Most bytes expected of an event when many are read in chunks, until a larger one is found. */
const expectedPerEvent = 2_048;

/** The version of the stream: the row in front of its first events, read at the same moment. */
const streamVersion = `select ${headerColumns('coalesce(pg_catalog.max(version), 0)')} from __schema__.events where stream_id ${eq} $1`;

const range = (order: Order): string =>
  `where stream_id ${eq} $1 and version ${ge} $2 and version ${le} $3 order by version ${order} limit $4`;
const fitting = (order: Order, atLeast: 0 | 1): string =>
  fittingEvents('$5', range(order), `version ${order}`, atLeast);
const startIn = (events: string): SqlStatement => statement(`(${streamVersion}) union all (${events})`);

/** For events of at most $5 bytes each; `fittingStarts` is for any. */
const starts = {
  forward: startIn(smallEvents('$5', range('asc'))),
  backward: startIn(smallEvents('$5', range('desc'))),
};
const fittingStarts = { forward: startIn(fitting('asc', 1)), backward: startIn(fitting('desc', 1)) };
const rests = { forward: statement(fitting('asc', 0)), backward: statement(fitting('desc', 0)) };

/**
 * From version $2 to version $3, in this order. Versions have no gaps, so they are cut into chunks beforehand. A chunk
 * with an event of more than $4 bytes is empty: this bounds the chunks before it without counting. The subselect hides
 * the number of chunks: if they were fewer than the server guesses, it would make a plan for each call.
 */
function chunksIn(order: Order): SqlStatement {
  const last = chunk.events - 1;
  const [step, until, low, high] =
    order === 'asc'
      ? [chunk.events, `least(v ${plus} ${last}, $3)`, 'v', 'until']
      : [-chunk.events, `greatest(v ${minus} ${last}, $3)`, 'until', 'v'];
  return statement(`
    select case when is_whole then chunk.cells end, case when is_whole then chunk.json end, chunk.bytes
    from pg_catalog.generate_series($2::bigint, (select $3::bigint), ${step}) v cross join ${until} until
    cross join lateral (
      select ${chunkOfMany}, pg_catalog.count(*) ${eq} (pg_catalog.abs(until ${minus} v) ${plus} 1) as is_whole from (
        select ${chunkColumns}, ${eventSize} as size from __schema__.events
        where stream_id ${eq} $1 and version ${ge} ${low} and version ${le} ${high} and ${eventSize} ${le} $4::bigint
        order by version ${order}
      ) small
    ) chunk`);
}
const chunks = { forward: chunksIn('asc'), backward: chunksIn('desc') };

const commitEvents = statement(
  `select ${eventColumns} from __schema__.events where id ${eq} any ($1::pg_catalog.uuid[]) order by version`,
);

/** The range of a stream that a page still lacks. */
interface Rest {
  /** The next version to read; `end` is the last. */
  readonly from: number;
  readonly end: number;
  readonly limit: number;
  readonly maxBytes: number;
  /** The size of the largest event before it. */
  readonly largest: number;
}

/**
 * Reads a short page in one statement. The rest of a longer page comes in chunks, which are faster for many events, and
 * slower for a few.
 */
export async function readStreamPage<E extends DomainEvent>(
  port: SqlPort,
  streamId: string,
  { fromVersion, toVersion, limit, maxBytes, direction }: StreamRead,
): Promise<StreamSlice<E>> {
  const isForward = direction === 'forward';
  const [low, high] = isForward
    ? [fromVersion ?? 1, toVersion ?? Number.MAX_SAFE_INTEGER]
    : [toVersion ?? 1, fromVersion ?? Number.MAX_SAFE_INTEGER];
  const first = Math.min(limit, chunk.events);
  const most = Math.floor(maxBytes / first);
  const values = [streamId, low, high, first] as const;
  let start = await readPage<E>(port, starts[direction], [...values, most]);
  if (start.isCut) start = await readPage<E>(port, fittingStarts[direction], [...values, maxBytes]);
  const version = Number(start.header[0]);
  const end = isForward ? Math.min(high, version) : Math.max(low, 1);
  const isBefore = (one: number, other: number): boolean => (isForward ? one < other : one > other);

  let { events } = start;
  const reached = events.at(-1)?.version;
  if (!start.isCut && reached !== undefined && events.length < limit && isBefore(reached, end)) {
    const rest = await readRest<E>(port, streamId, direction, {
      from: reached + (isForward ? 1 : -1),
      end,
      limit: limit - events.length,
      // A character takes at most 3 bytes.
      maxBytes: maxBytes - 3 * start.characters,
      largest: start.largest,
    });
    events = [...events, ...rest];
  }
  const last = events.at(-1)?.version;
  return { streamId, version, events, isEnd: last === undefined || !isBefore(last, end) };
}

async function readRest<E extends DomainEvent>(
  port: SqlPort,
  streamId: string,
  direction: ReadDirection,
  rest: Rest,
): Promise<readonly RecordedEvent<E>[]> {
  const step = direction === 'forward' ? 1 : -1;
  const events: RecordedEvent<E>[] = [];
  let { from, limit, maxBytes } = rest;
  // Fewer statements are faster: read as many events at a time as fit if the next ones are as large as the last.
  let expected = Math.min(rest.largest + Math.ceil(rest.largest / 8), expectedPerEvent);
  while (limit > 0 && maxBytes > 0 && (rest.end - from) * step >= 0) {
    const left = Math.min(limit, (rest.end - from) * step + 1);
    const count = Math.min(left, Math.max(Math.floor(maxBytes / expected), chunk.events));
    const until = from + step * (count - 1);
    const most = Math.min(Math.floor(maxBytes / count), chunk.bytesPerEvent);
    const found = await readChunks<E>(port, chunks[direction], [streamId, from, until, most]);
    for (const event of found.events) events.push(event);
    from += step * found.events.length;
    limit -= found.events.length;
    maxBytes -= found.bytes;
    if (found.isCut && most < expectedPerEvent && expected < expectedPerEvent) {
      expected = expectedPerEvent;
    } else if (found.isCut) {
      const [low, high] = direction === 'forward' ? [from, rest.end] : [rest.end, from];
      const larger = await readPage<E>(port, rests[direction], [streamId, low, high, limit, maxBytes]);
      return [...events, ...larger.events];
    }
  }
  return events;
}

/** Ids that one statement looks up to find a commit of unknown size. */
const idsAtOnce = 64;

/**
 * The events of a commit, found by the ids that derive from it; none when it isn't stored.
 *
 * @param namespace that the ids derive from
 */
export async function readCommit(
  port: SqlPort,
  namespace: string,
  streamId: string,
  commitId: string,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const ids = Array.from({ length: idsAtOnce }, (_, index) =>
      eventIdOf(namespace, streamId, commitId, events.length + index),
    );
    const found = await readEvents(port, commitEvents, [arrayOf('uuid', ids)]);
    events.push(...found);
    if (found.length < idsAtOnce) return events;
  }
}
