import type { DomainEvent } from '../core/events/event.js';
import { eventIdOf } from '../core/events/event-id.js';
import type { StreamSlice } from '../core/store/event-store.js';
import type { StreamRead } from '../core/store/read-options.js';
import { eventColumns, headerColumns, readEvents, readPage, type StoredEvent } from './event-row.js';
import { arrayOf, statement, type SqlPort } from './sql-port.js';

/** The version of the stream in front of the rows of the page, of the same moment. */
const streamVersion = `select ${headerColumns(
  'coalesce((select s.version from __schema__.streams s where s.stream_id = $1), 0)',
)}`;

const pageIn = (order: 'asc' | 'desc') =>
  statement(`(${streamVersion}) union all (
    select ${eventColumns} from __schema__.events
    where stream_id = $1 and version between $2 and $3 order by version ${order} limit $4)`);
const pages = { forward: pageIn('asc'), backward: pageIn('desc') };

const commitEvents = statement(
  `select ${eventColumns} from __schema__.events where id = any ($1::uuid[]) order by version`,
);

export async function readStreamPage<E extends DomainEvent>(
  port: SqlPort,
  streamId: string,
  { fromVersion, toVersion, limit, direction }: StreamRead,
): Promise<StreamSlice<E>> {
  const [low, high] =
    direction === 'forward'
      ? [fromVersion ?? 1, toVersion ?? Number.MAX_SAFE_INTEGER]
      : [toVersion ?? 1, fromVersion ?? Number.MAX_SAFE_INTEGER];
  const { header, events } = await readPage<E>(port, pages[direction], [streamId, low, high, limit]);
  const version = Number(header[0]);
  const last = events.at(-1)?.version;
  const isEnd =
    last === undefined ||
    (direction === 'forward' ? last >= Math.min(high, version) : last <= Math.max(low, 1));
  return { streamId, version, events, isEnd };
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
  do {
    const ids = Array.from({ length: idsAtOnce }, (_, index) =>
      eventIdOf(streamId, commitId, events.length + index),
    );
    events.push(...(await readEvents(port, commitEvents, [arrayOf('uuid', ids)])));
  } while (events.length > 0 && events.length % idsAtOnce === 0);
  return events;
}
