import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { createInterface } from 'node:readline';

/** A file of one JSON array a line, which survives the death of its process by SIGKILL. */
export interface Journal<Line extends readonly unknown[]> {
  write(line: Line): void;
  close(): void;
}

/** Goes on with a journal, behind its last whole line. */
export function openJournal<Line extends readonly unknown[]>(file: string): Journal<Line> {
  // The process before may have been killed within a line.
  if (existsSync(file)) truncateSync(file, readFileSync(file).lastIndexOf('\n') + 1);
  const descriptor = openSync(file, 'a');
  return {
    write: (line) => void writeSync(descriptor, `${JSON.stringify(line)}\n`),
    close: () => {
      closeSync(descriptor);
    },
  };
}

export async function* readJournal<Line extends readonly unknown[]>(file: string): AsyncGenerator<Line> {
  if (!existsSync(file)) return;
  for await (const line of createInterface({ input: createReadStream(file) })) yield JSON.parse(line) as Line;
}

/** What a writer knows of its appends. */
export type WriterLine =
  /** Written before the commit is sent for the first time; `at` in milliseconds since 1970. */
  | readonly ['sent', commit: SentCommit, at: number]
  | readonly ['acknowledged', commitId: string, version: number, position: number, at: number]
  /** Refused for its expected version, and so not stored. */
  | readonly ['rejected', commitId: string];

export interface SentCommit {
  /** What has happened, once, under whatever commit id it is told. */
  readonly fact: string;
  readonly commitId: string;
  readonly streamId: string;
  readonly events: number;
  readonly expectedVersion?: number;
}

/** An event that a reader was given. */
export type ReaderLine = readonly [position: number, id: string];
