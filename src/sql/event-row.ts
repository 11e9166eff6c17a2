import type { DomainEvent, EventMetadata, RecordedEvent } from '../core/events/event.js';
import type { PreparedEvent } from '../core/store/prepare-events.js';
import type { SqlRow } from './sql-port.js';

/** An event as it is stored: `data` and `metadata` are JSON text. */
export interface StoredEvent extends PreparedEvent {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly commitId: string;
  readonly occurredAt: string;
  readonly recordedAt: string;
}

/** What {@link storedEvent} and {@link recordedEvent} read, in this order. Times are seconds, whatever the session's settings. */
export const eventColumns = `position, stream_id, version, id, commit_id, type, schema_version, data, metadata,
  case when tags = '{}' then null else array_to_json(tags) end,
  date_part('epoch', occurred_at), date_part('epoch', recorded_at)`;

type Cells = readonly [
  position: string,
  streamId: string,
  version: string,
  id: string,
  commitId: string,
  type: string,
  schemaVersion: string,
  data: string,
  metadata: string,
  tags: string | null,
  occurredAt: string,
  recordedAt: string,
];

export function recordedEvent<E extends DomainEvent>(row: SqlRow): RecordedEvent<E> {
  const cells = row as Cells;
  const recordedAt = isoTime(cells[11]);
  return {
    id: cells[3],
    streamId: cells[1],
    version: Number(cells[2]),
    position: Number(cells[0]),
    commitId: cells[4],
    type: cells[5],
    schemaVersion: Number(cells[6]),
    data: JSON.parse(cells[7]) as unknown,
    metadata: JSON.parse(cells[8]) as EventMetadata,
    tags: tagsOf(cells[9]),
    occurredAt: cells[10] === cells[11] ? recordedAt : isoTime(cells[10]),
    recordedAt,
  } as unknown as RecordedEvent<E>;
}

export function storedEvent(row: SqlRow): StoredEvent {
  const cells = row as Cells;
  return {
    id: cells[3],
    streamId: cells[1],
    version: Number(cells[2]),
    position: Number(cells[0]),
    commitId: cells[4],
    type: cells[5],
    schemaVersion: Number(cells[6]),
    data: cells[7],
    metadata: cells[8],
    correlationId: (JSON.parse(cells[8]) as EventMetadata).correlationId,
    tags: tagsOf(cells[9]),
    occurredAt: isoTime(cells[10]),
    recordedAt: isoTime(cells[11]),
  };
}

/** Of seconds since 1970, which are whole milliseconds. */
export function isoTime(seconds: string): string {
  return new Date(Math.round(Number(seconds) * 1000)).toISOString();
}

function tagsOf(cell: string | null): string[] {
  return cell === null ? [] : (JSON.parse(cell) as string[]);
}
