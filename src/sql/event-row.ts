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

/**
 * What {@link storedEvent} and {@link recordedEvent} read. The short columns come as one, set apart by tabs, which no name
 * may hold: a driver takes as long for a short value as for a long one, and so reads 1.5 times as many events a second.
 * Times are seconds, whatever the settings of the session are.
 */
export const eventColumns = `concat_ws(chr(9), position, stream_id, version, id, commit_id, type, schema_version, tags,
  date_part('epoch', occurred_at), date_part('epoch', recorded_at)), data, metadata`;

/** Of a row that stands in front of the events of a page: these values instead of an event's. */
export function headerColumns(...values: readonly string[]): string {
  return `concat_ws(chr(9), '', ${values.join(', ')}), null::json, null::json`;
}

/** Takes the header out of the rows of a page. */
export function splitPage(rows: readonly SqlRow[]): {
  readonly header: readonly string[];
  readonly events: readonly SqlRow[];
} {
  const place = rows.findIndex((row) => row[1] === null);
  const [text = ''] = rows[place] ?? [];
  return {
    header: (text as string).split('\t').slice(1),
    events: rows.filter((_, index) => index !== place),
  };
}

export function positionOf(row: SqlRow): number {
  return Number.parseInt(row[0] as string, 10);
}

export function recordedEvent<E extends DomainEvent>(row: SqlRow): RecordedEvent<E> {
  const [short, data, metadata] = row as [string, string, string];
  const [position, streamId, version, id, commitId, type, schemaVersion, tags, occurredAt, recordedAt] =
    short.split('\t') as ShortColumns;
  return {
    id,
    streamId,
    version: Number(version),
    position: Number(position),
    commitId,
    type,
    schemaVersion: Number(schemaVersion),
    data: JSON.parse(data) as unknown,
    metadata: JSON.parse(metadata) as EventMetadata,
    tags: tagsOf(tags),
    occurredAt: isoTime(occurredAt),
    recordedAt: isoTime(recordedAt),
  } as unknown as RecordedEvent<E>;
}

type ShortColumns = [
  position: string,
  streamId: string,
  version: string,
  id: string,
  commitId: string,
  type: string,
  schemaVersion: string,
  tags: string,
  occurredAt: string,
  recordedAt: string,
];

export function storedEvent(row: SqlRow): StoredEvent {
  const { metadata, ...event } = recordedEvent(row);
  return {
    ...event,
    data: row[1] as string,
    metadata: row[2] as string,
    correlationId: metadata.correlationId,
  };
}

/** Of a moment: many events in a row have the same. */
let last = { seconds: '', iso: '' };

/** Of seconds since 1970, which are whole milliseconds. */
export function isoTime(seconds: string): string {
  if (seconds !== last.seconds)
    last = { seconds, iso: new Date(Math.round(Number(seconds) * 1000)).toISOString() };
  return last.iso;
}

/** An array of texts as PostgreSQL writes it. */
function tagsOf(array: string): string[] {
  if (array === '{}') return [];
  if (!array.includes('"')) return array.slice(1, -1).split(',');
  return Array.from(array.matchAll(/"((?:[^"\\]|\\.)*)"|[^,{}]+/g), ([whole, quoted]) =>
    quoted === undefined ? whole : quoted.replaceAll(/\\(.)/gs, '$1'),
  );
}
