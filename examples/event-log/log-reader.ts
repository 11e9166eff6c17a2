import { createHash } from 'node:crypto';
import { readCsvLog } from './csv-log.js';
import { EventLogError } from './event-log-error.js';
import { decode, readContent } from './log-content.js';
import { toLogEntry, type LogEntry, type RawEntry } from './log-entry.js';
import { readXesLog } from './xes-log.js';

export interface EventLog {
  /** In the order of the file. Read as a stream: only what is being parsed is in memory. */
  readonly entries: AsyncIterable<LogEntry>;
  /** {@link fingerprintOf} what was read; complete when the entries are. */
  fingerprint(): string;
}

/**
 * A process log: XES, or CSV with the columns of the XES standard, each plain or packed with gzip. Which one it is, the
 * content says and not the name.
 *
 * The entries throw an {@link EventLogError} at the first fault.
 */
export function openEventLog(file: string): EventLog {
  const hash = createHash('sha256');
  return {
    entries: readEntries(file, hashed(readContent(file), hash)),
    fingerprint: () => hash.copy().digest('hex'),
  };
}

/** SHA-256 of the unpacked content: a log is the same log under another name and packed. */
export async function fingerprintOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readContent(file)) hash.update(chunk);
  return hash.digest('hex');
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* readEntries(file: string, content: AsyncIterable<Buffer>): AsyncGenerator<LogEntry> {
  let isEmpty = true;
  for await (const raw of parse(file, decode(content, file))) {
    isEmpty = false;
    yield toLogEntry(raw, file);
  }
  if (isEmpty) throw new EventLogError('the log holds no events.', { file });
}

async function* parse(file: string, text: AsyncGenerator<string>): AsyncGenerator<RawEntry> {
  let head = '';
  while (head.trimStart() === '') {
    const next = await text.next();
    if (next.done) throw new EventLogError('the file is empty.', { file });
    head += next.value;
  }
  const whole = prepend(head, text);
  yield* head.trimStart().startsWith('<') ? readXesLog(file, whole) : readCsvLog(file, whole);
}

async function* prepend(head: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    yield head;
    yield* rest;
  } finally {
    // A reader may stop at the head, and the file has to be closed then too.
    await rest.return(undefined);
  }
}
