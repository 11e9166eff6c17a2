import type { DomainEvent, RecordedEvent } from '../../core/events/event.js';
import type { StoredEvent } from '../../core/store/append/stored-event.js';
import { eq, le, minus, plus } from '../operators.js';
import type { SqlPort, SqlStatement, SqlValue } from '../sql-port.js';
import { milliseconds } from '../sql-time.js';
import { IsoTimes } from './iso-times.js';

const valueColumns = `position, stream_id, version, id, commit_id, type, schema_version, tags,
  ${milliseconds('occurred_at')},
  case when recorded_at ${eq} occurred_at then '' else (${milliseconds('recorded_at')})::pg_catalog.text end`;

/**
 * The row for {@link readEvents} and {@link readPage}: all columns as one text, since a driver takes as long for a
 * short value as for a long one. The separator is a character that neither a name nor JSON may hold. No setting of the
 * session changes the text. The second time is empty if it equals the first.
 */
export const eventColumns = `pg_catalog.concat_ws(pg_catalog.chr(1), ${valueColumns}, data, metadata)`;

/** The size of a column in bytes. An uncompressed value has its stored size, and needn't be read. */
const sizeOf = (column: string): string =>
  `case when pg_catalog.pg_column_compression(${column}) is null then pg_catalog.pg_column_size(${column})
    else pg_catalog.octet_length(${column}::pg_catalog.text) end`;

/** The bytes that an event takes of a page, found without reading large values. */
export const eventSize = `coalesce(bytes, (${sizeOf('data')}) ${plus} (${sizeOf('metadata')}) ${plus} (${sizeOf('tags')}))`;

/** Events of at most `most` bytes each; an empty row stands for a larger one. */
export function smallEvents(most: string, clauses: string): string {
  return `select case when ${eventSize} ${le} ${most}::bigint then ${eventColumns} end
    from __schema__.events ${clauses}`;
}

/**
 * The events that fit into `maxBytes`, from the first on; an empty row stands for the next, if there is one. A running
 * sum finds them, in a third of the time that writing them takes.
 *
 * @param clauses follow `from`, and include the order
 */
export function fittingEvents(maxBytes: string, clauses: string, order: string, atLeast: 0 | 1 = 1): string {
  return `select case when total ${le} ${maxBytes}::bigint or place ${le} ${atLeast} then ${eventColumns} end from (
      select *, pg_catalog.sum(size) over page as total, pg_catalog.row_number() over page as place
      from (select *, ${eventSize} as size from __schema__.events ${clauses}) sized
      window page as (order by ${order} rows unbounded preceding)
    ) page where (total ${minus} size) ${le} ${maxBytes}::bigint or place ${eq} 2 order by ${order}`;
}

/** An event for {@link readChunks}: its JSON is apart, so that the other values don't keep that text in memory. */
export const chunkColumns = `pg_catalog.concat_ws(pg_catalog.chr(1), ${valueColumns}) as cells,
  pg_catalog.concat_ws(',', data, metadata) as json`;

/** Many {@link chunkColumns} in one row, which a driver reads faster than many rows; and the bytes of the events. */
export const chunkOfMany = `pg_catalog.string_agg(cells, pg_catalog.chr(1)) as cells, pg_catalog.string_agg(json, ',') as json,
  pg_catalog.sum(size) as bytes`;

const separator = '\u0001';
const cellsPerEvent = 10;

/** The columns of a row in front of the events of a page: it holds these values instead of an event's. */
export function headerColumns(...values: readonly string[]): string {
  return `pg_catalog.concat_ws(pg_catalog.chr(1), '', ${values.join(', ')})`;
}

/** The result of {@link readPage}. */
export interface EventRows<E extends DomainEvent> {
  readonly header: readonly string[];
  readonly events: readonly RecordedEvent<E>[];
  /** Whether an event was too large and is missing. */
  readonly isCut: boolean;
  /** The characters of all rows. */
  readonly characters: number;
  /** Bytes of the largest event's row; for a small one, the characters of the columns in {@link eventSize}. */
  readonly largest: number;
}

/** Runs a statement for {@link headerColumns} and {@link smallEvents} or {@link fittingEvents}. */
export async function readPage<E extends DomainEvent>(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<EventRows<E>> {
  let header: readonly string[] = [];
  let [isCut, characters, largest] = [false, 0, 0];
  const times = new IsoTimes();
  const rows = await port.query(statement, values, ([text]) => {
    if (text == null) {
      isCut = true;
      return undefined;
    }
    characters += text.length;
    const cells = cellsOf(text);
    if (cells[0] !== '') {
      largest = Math.max(largest, text.length < largeRow ? jsonLengthOf(cells) : Buffer.byteLength(text));
      return recordedEvent<E>(times, cells, 0, JSON.parse(cells[10]), JSON.parse(cells[11]));
    }
    header = cells.slice(1);
    return undefined;
  });
  const events = rows.filter((event) => event !== undefined);
  return { header, events, isCut, characters, largest };
}

/**
 * Runs a statement for rows of {@link chunkOfMany}.
 *
 * @returns the events of the rows before the first empty one
 */
export async function readChunks<E extends DomainEvent>(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<{
  readonly events: readonly RecordedEvent<E>[];
  readonly bytes: number;
  readonly isCut: boolean;
}> {
  let [isCut, bytes] = [false, 0];
  const events: RecordedEvent<E>[] = [];
  const times = new IsoTimes();
  await port.query(statement, values, ([cells, json, size]) => {
    isCut ||= cells == null;
    if (isCut) return;
    bytes += Number(size);
    addEventsOfChunk(events, times, cells as string, json as string);
  });
  return { events, bytes, isCut };
}

/** Runs a statement for {@link eventColumns}. */
export async function readEvents(
  port: SqlPort,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<readonly StoredEvent[]> {
  const times = new IsoTimes();
  return port.query(statement, values, (row) => {
    const cells = cellsOf(row[0] as string);
    const { metadata, ...event } = recordedEvent(times, cells, 0, undefined, JSON.parse(cells[11]));
    return { ...event, data: cells[10], metadata: cells[11], correlationId: metadata.correlationId };
  });
}

/** The cells of an event, without its JSON. */
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

/** Characters from which on a value of a row must not keep the whole row in memory. */
const largeRow = 2_048;

/**
 * The cells of a row. A part of a text keeps the whole text in memory: an id kept from a large row would take a
 * thousand times as much.
 */
function cellsOf(text: string): RowCells {
  if (text.length < largeRow) return text.split(separator) as RowCells;
  let end = -1;
  for (let cell = 0; cell < cellsPerEvent; cell++) {
    end = text.indexOf(separator, end + 1);
    // A header.
    if (end < 0) return text.split(separator) as RowCells;
  }
  const copy = Buffer.from(text.slice(0, end)).toString();
  return [...copy.split(separator), ...text.slice(end + 1).split(separator)] as RowCells;
}

/** The length of a small row's JSON. */
function jsonLengthOf(cells: RowCells): number {
  return cells[7].length + cells[10].length + cells[11].length;
}

function addEventsOfChunk<E extends DomainEvent>(
  events: RecordedEvent<E>[],
  times: IsoTimes,
  text: string,
  json: string,
): void {
  const cells = text.split(separator);
  const values = JSON.parse(`[${json}]`) as unknown[];
  for (let index = 0; index * 2 < values.length; index++) {
    events.push(recordedEvent(times, cells, index * cellsPerEvent, values[index * 2], values[index * 2 + 1]));
  }
}

/** @param at where its {@link Cells} start */
function recordedEvent<E extends DomainEvent>(
  times: IsoTimes,
  cells: readonly string[],
  at: number,
  data: unknown,
  metadata: unknown,
): RecordedEvent<E> {
  const occurredAt = times.write(Number(cells[at + 8]));
  const recordedAt = cells[at + 9] as string;
  return {
    id: cells[at + 3],
    streamId: cells[at + 1],
    version: Number(cells[at + 2]),
    position: Number(cells[at]),
    commitId: cells[at + 4],
    type: cells[at + 5],
    schemaVersion: Number(cells[at + 6]),
    data,
    metadata,
    tags: tagsOf(cells[at + 7] as string),
    occurredAt,
    recordedAt: recordedAt === '' ? occurredAt : times.write(Number(recordedAt)),
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
