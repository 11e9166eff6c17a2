import { eventIdOf } from '../core/events/event-id.js';
import type { DomainEvent } from '../core/events/event.js';
import type { StreamSlice } from '../core/store/event-store.js';
import type { StreamRead } from '../core/store/read-options.js';
import {
  chunkColumns,
  chunkOfMany,
  eventColumns,
  headerColumns,
  readChunks,
  readEvents,
  readPage,
  type StoredEvent,
} from './event-row.js';
import { eq, ge, le, minus, plus } from './operators.js';
import { arrayOf, statement, type SqlPort, type SqlStatement } from './sql-port.js';

type Order = 'asc' | 'desc';

/** Events that are read as one row, and what each may take for that, in bytes as it is stored. */
const chunk = { events: 64, bytesPerEvent: 16_384 };

/** The version of the stream in front of its first rows, of the same moment. */
const streamVersion = `select ${headerColumns('coalesce(pg_catalog.max(version), 0)')} from __schema__.events where stream_id ${eq} $1`;

const startIn = (order: Order) =>
  statement(`(${streamVersion}) union all (
    select ${eventColumns} from __schema__.events
    where stream_id ${eq} $1 and version ${ge} $2 and version ${le} $3 order by version ${order} limit $4)`);
const starts = { forward: startIn('asc'), backward: startIn('desc') };

/**
 * From version $2 to version $3, in this order. Versions have no gaps, so they are cut into chunks beforehand. A chunk with a
 * large event in it comes event by event: as one it could be larger than a text may be. The subselect hides how many chunks
 * they are: to the server, fewer than it guesses would be worth a plan for each call.
 */
function chunksIn(order: Order): SqlStatement {
  const last = chunk.events - 1;
  const [step, until, low, high] =
    order === 'asc'
      ? [chunk.events, `least(v ${plus} ${last}, $3)`, 'v', 'until']
      : [-chunk.events, `greatest(v ${minus} ${last}, $3)`, 'until', 'v'];
  const events = `select ${chunkColumns} from __schema__.events
    where stream_id ${eq} $1 and version ${ge} ${low} and version ${le} ${high}`;
  const size = `(pg_catalog.pg_column_size(data) ${plus} pg_catalog.pg_column_size(metadata))`;
  return statement(`
    select event.cells, event.json
    from pg_catalog.generate_series($2::bigint, (select $3::bigint), ${step}) v cross join ${until} until
    cross join lateral (
      select ${chunkOfMany}, pg_catalog.count(*) ${eq} (pg_catalog.abs(until ${minus} v) ${plus} 1) as is_whole from (
        ${events} and ${size} ${le} ${chunk.bytesPerEvent} order by version ${order}
      ) small
    ) chunk
    cross join lateral (
      select chunk.cells, chunk.json where is_whole
      union all (${events} and not is_whole order by version ${order})
    ) event`);
}
const chunks = { forward: chunksIn('asc'), backward: chunksIn('desc') };

const commitEvents = statement(
  `select ${eventColumns} from __schema__.events where id ${eq} any ($1::pg_catalog.uuid[]) order by version`,
);

/**
 * What is short is read in one statement. Of a longer page the rest comes in chunks, which many events are read faster by, and
 * a few more slowly.
 */
export async function readStreamPage<E extends DomainEvent>(
  port: SqlPort,
  streamId: string,
  { fromVersion, toVersion, limit, direction }: StreamRead,
): Promise<StreamSlice<E>> {
  const isForward = direction === 'forward';
  const [low, high] = isForward
    ? [fromVersion ?? 1, toVersion ?? Number.MAX_SAFE_INTEGER]
    : [toVersion ?? 1, fromVersion ?? Number.MAX_SAFE_INTEGER];
  const start = await readPage<E>(port, starts[direction], [
    streamId,
    low,
    high,
    Math.min(limit, chunk.events),
  ]);
  const version = Number(start.header[0]);
  const end = isForward ? Math.min(high, version) : Math.max(low, 1);
  const isBefore = (one: number, other: number): boolean => (isForward ? one < other : one > other);

  let { events } = start;
  const reached = events.at(-1)?.version;
  if (reached !== undefined && events.length < limit && isBefore(reached, end)) {
    const left = limit - events.length;
    const [next, most] = isForward
      ? [reached + 1, Math.min(end, reached + left)]
      : [reached - 1, Math.max(end, reached - left)];
    events = [...events, ...(await readChunks<E>(port, chunks[direction], [streamId, next, most]))];
  }
  const last = events.at(-1)?.version;
  return { streamId, version, events, isEnd: last === undefined || !isBefore(last, end) };
}

/** How many ids are asked for at a time, in search of a commit of unknown size. */
const idsAtOnce = 64;

/** The events of a commit, found by the ids that derive from it; none when it isn't stored. */
export async function readCommit(
  port: SqlPort,
  streamId: string,
  commitId: string,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const ids = Array.from({ length: idsAtOnce }, (_, index) =>
      eventIdOf(streamId, commitId, events.length + index),
    );
    const found = await readEvents(port, commitEvents, [arrayOf('uuid', ids)]);
    events.push(...found);
    if (found.length < idsAtOnce) return events;
  }
}
