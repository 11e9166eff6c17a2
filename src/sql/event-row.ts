import type { DomainEvent, RecordedEvent } from '../core/events/event.js';
import type { PreparedEvent } from '../core/store/prepare-events.js';
import { eq } from './operators.js';
import type { SqlPort, SqlStatement, SqlValue } from './sql-port.js';
import { isoTime, milliseconds } from './sql-time.js';

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

const valueColumns = `position, stream_id, version, id, commit_id, type, schema_version, tags,
  ${milliseconds('occurred_at')},
  case when recorded_at ${eq} occurred_at then '' else (${milliseconds('recorded_at')})::pg_catalog.text end`;

/**
 * What {@link readEvents} and {@link readPage} read: all columns as one text, since a driver takes as long for a short value
 * as for a long one. They are set apart by a character that neither a name nor JSON may hold. Nothing in it is written in a way that
 * a setting of the session changes. Of the times the second one is empty where it is the same.
 */
export const eventColumns = `pg_catalog.concat_ws(pg_catalog.chr(1), ${valueColumns}, data, metadata)`;

/** An event as {@link readChunks} reads it: JSON apart, so that what is kept of an event doesn't keep that text. */
export const chunkColumns = `pg_catalog.concat_ws(pg_catalog.chr(1), ${valueColumns}) as cells,
  pg_catalog.concat_ws(',', data, metadata) as json`;

/** Many of {@link chunkColumns} in a row, which a driver is quicker with than with as many rows. */
export const chunkOfMany = `pg_catalog.string_agg(cells, pg_catalog.chr(1)) as cells, pg_catalog.string_agg(json, ',') as json`;

const separator = '\u0001';
const cellsPerEvent = 10;

/** Of a row that stands in front of the events of a page: these values instead of an event's. */
export function headerColumns(...values: readonly string[]): string {
  return `pg_catalog.concat_ws(pg_catalog.chr(1), '', ${values.join(', ')})`;
}

/** Runs a statement for {@link headerColumns} and {@link eventColumns}. */
export async function readPage<E extends DomainEvent>(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<{ readonly header: readonly string[]; readonly events: readonly RecordedEvent<E>[] }> {
  let header: readonly string[] = [];
  const rows = await port.query(statement, values, (row) => {
    const cells = (row[0] as string).split(separator) as RowCells;
    if (cells[0] !== '') return recordedEvent<E>(cells, JSON.parse(cells[10]), JSON.parse(cells[11]));
    header = cells.slice(1);
    return undefined;
  });
  return { header, events: rows.filter((event) => event !== undefined) };
}

/** Runs a statement for rows of {@link chunkColumns} or of {@link chunkOfMany}. */
export async function readChunks<E extends DomainEvent>(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<readonly RecordedEvent<E>[]> {
  const chunks = await port.query(statement, values, ([cells, json]) =>
    eventsOfChunk<E>(cells as string, json as string),
  );
  return chunks.flat();
}

/** Runs a statement for {@link eventColumns}. */
export async function readEvents(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<readonly StoredEvent[]> {
  return port.query(statement, values, (row) => {
    const cells = (row[0] as string).split(separator) as RowCells;
    const { metadata, ...event } = recordedEvent(cells, undefined, JSON.parse(cells[11]));
    return { ...event, data: cells[10], metadata: cells[11], correlationId: metadata.correlationId };
  });
}

/** Of an event, without its JSON. */
type Cells = [
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
type RowCells = [...Cells, data: string, metadata: string];

function eventsOfChunk<E extends DomainEvent>(text: string, json: string): RecordedEvent<E>[] {
  const cells = text.split(separator);
  const values = JSON.parse(`[${json}]`) as unknown[];
  return Array.from({ length: values.length / 2 }, (_, index) =>
    recordedEvent(
      cells.slice(index * cellsPerEvent, (index + 1) * cellsPerEvent) as Cells,
      values[index * 2],
      values[index * 2 + 1],
    ),
  );
}

function recordedEvent<E extends DomainEvent>(
  cells: Cells | RowCells,
  data: unknown,
  metadata: unknown,
): RecordedEvent<E> {
  const occurredAt = isoTime(Number(cells[8]));
  return {
    id: cells[3],
    streamId: cells[1],
    version: Number(cells[2]),
    position: Number(cells[0]),
    commitId: cells[4],
    type: cells[5],
    schemaVersion: Number(cells[6]),
    data,
    metadata,
    tags: tagsOf(cells[7]),
    occurredAt,
    recordedAt: cells[9] === '' ? occurredAt : isoTime(Number(cells[9])),
  } as unknown as RecordedEvent<E>;
}

/** An array of texts as PostgreSQL writes it. */
function tagsOf(array: string): string[] {
  if (array === '{}') return [];
  if (!array.includes('"')) return array.slice(1, -1).split(',');
  return Array.from(array.matchAll(/"((?:[^"\\]|\\.)*)"|[^,{}]+/g), ([whole, quoted]) =>
    quoted === undefined ? whole : quoted.replaceAll(/\\(.)/gs, '$1'),
  );
}
