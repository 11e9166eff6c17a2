import type { JsonValue } from 'temporal-event-store';
import { EventLogError } from './event-log-error.js';

export type Attributes = Readonly<Record<string, JsonValue>>;

/** One line of a log: something that happened in a case. */
export interface LogEntry {
  /** Where it begins (XES) or ends (CSV) in the file, from 1. */
  readonly line: number;
  readonly caseId: string;
  readonly activity: string;
  /** ISO 8601 with an offset. */
  readonly occurredAt: string;
  readonly resource?: string;
  readonly lifecycle?: string;
  /** What else the log says about the event. */
  readonly attributes: Attributes;
  /** What the log says about the whole case. */
  readonly caseAttributes: Attributes;
  /** Bytes of JSON. */
  readonly size: number;
}

/** What a parser has read, under the names of the XES standard. */
export interface RawEntry {
  readonly line: number;
  readonly attributes: Attributes;
  readonly caseAttributes: Attributes;
}

/** An event with its case, in bytes of JSON. A window of entries plus one must fit into a commit of 2,000,000. */
export const maxEntrySize = 500_000;
/** Room for what stands around it in stream and commit ids, which end at 1,000 bytes. */
const maxNameBytes = 900;

/**
 * Checks everything that a store would refuse, so that a log which is read to its end can be stored to its end.
 *
 * @throws EventLogError
 */
export function toLogEntry(raw: RawEntry, file: string): LogEntry {
  const { line } = raw;
  const {
    'concept:name': activity,
    'time:timestamp': time,
    'org:resource': resource,
    'lifecycle:transition': lifecycle,
    ...attributes
  } = raw.attributes;
  const { 'concept:name': caseId, ...caseAttributes } = raw.caseAttributes;
  const fail = (problem: string) => new EventLogError(problem, { file, line });

  const name = (value: JsonValue | undefined, what: string): string => {
    const text = textOf(value);
    if (text === undefined || text === '') throw fail(`the event has no ${what}.`);
    if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
      throw fail(`the ${what} has characters that a name can't have.`);
    }
    if (Buffer.byteLength(text) > maxNameBytes) {
      throw fail(`the ${what} is longer than ${maxNameBytes} bytes.`);
    }
    return text;
  };

  const [resourceText, lifecycleText] = [textOf(resource), textOf(lifecycle)];
  const entry = {
    caseId: name(caseId, 'case id'),
    activity: name(activity, 'activity (concept:name)'),
    occurredAt: toInstant(textOf(time), fail),
    ...(resourceText !== undefined && { resource: resourceText }),
    ...(lifecycleText !== undefined && { lifecycle: lifecycleText }),
    attributes,
    caseAttributes,
  };
  const json = JSON.stringify(entry);
  const size = Buffer.byteLength(json);
  if (size > maxEntrySize) throw fail(`the event is ${size} bytes of JSON, more than ${maxEntrySize}.`);
  return { line, size, ...entry };
}

/** Some logs number their activities and resources: `<int key="org:resource" value="112"/>`. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  // An XES attribute that has attributes of its own.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return textOf((value as Record<string, JsonValue>)['value']);
  }
  return undefined;
}

const instant =
  /^(?!0000)(\d{4})-(0[1-9]|1[0-2])-(\d\d)[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?) ?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;

/** CSV logs write `2011-10-11 13:45:40.276000+02:00` for what ISO 8601 and XES write with a `T`. */
function toInstant(text: string | undefined, fail: (problem: string) => EventLogError): string {
  if (text === undefined || text === '') throw fail('the event has no time (time:timestamp).');
  const [, year = '', month = '', day = '', time = '', offset = ''] = instant.exec(text) ?? [];
  // A year of the same length in the same place of the leap cycle: Date.UTC takes years below 100 for 19xx.
  const daysInMonth = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
  const iso = `${year}-${month}-${day}T${time}${offset}`;
  // In UTC it has to be of the years 1 to 9999 too.
  const isPossible = Number(day) >= 1 && Number(day) <= daysInMonth && isCommonEra(iso);
  if (!isPossible) {
    throw fail(`'${text.slice(0, 80)}' is not a time with an offset, such as 2011-10-01T00:38:44.546+02:00.`);
  }
  return iso;
}

function isCommonEra(iso: string): boolean {
  const year = new Date(iso).getUTCFullYear();
  return year >= 1 && year <= 9999;
}
