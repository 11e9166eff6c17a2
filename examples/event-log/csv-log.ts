import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { EventLogError } from './event-log-error.js';
import { maxEntrySize, type Attributes, type RawEntry } from './log-entry.js';

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const required = ['case:concept:name', 'concept:name', 'time:timestamp'];

/**
 * The lines of a CSV log as pm4py and others write it: a header with the names of the XES standard, `case:` before those
 * of the case. Values stay text; an empty one is absent.
 *
 * @throws EventLogError
 */
export async function* readCsvLog(file: string, text: AsyncIterable<string>): AsyncGenerator<RawEntry> {
  const parser = parse({
    info: true,
    skip_empty_lines: true,
    // Where a quote is left open the record would go on to the end of the file.
    max_record_size: 2 * maxEntrySize,
  });
  // The parser takes over an error of the text, and a reader that stops early ends both.
  const records = pipeline(text, parser, () => undefined) as AsyncIterable<CsvRecord>;
  let columns: readonly Column[] | undefined;
  // csv-parse counts \r\n inside of quotes as two lines.
  let overcounted = 0;
  try {
    for await (const { record, info } of records) {
      for (const value of record) if (value.includes('\r\n')) overcounted += value.split('\r\n').length - 1;
      const line = info.lines - overcounted;
      if (columns === undefined) columns = readHeader(record, file, line);
      else yield toRawEntry(columns, record, line);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { readonly lines: number };
    throw new EventLogError(
      `the CSV is malformed: ${error.message}.`,
      { file, line: lines - overcounted },
      { cause: error },
    );
  }
}

interface Column {
  readonly name: string;
  readonly isOfCase: boolean;
}

function readHeader(names: readonly string[], file: string, line: number): readonly Column[] {
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new EventLogError(
      `is neither a XES log nor a CSV log: its first line has no column ${missing.join(', ')}.`,
      { file, line },
    );
  }
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new EventLogError(`the column '${repeated}' is there twice.`, { file, line });
  }
  return names.map((name) => {
    const isOfCase = name.startsWith('case:');
    return { isOfCase, name: isOfCase ? name.slice('case:'.length) : name };
  });
}

function toRawEntry(columns: readonly Column[], record: readonly string[], line: number): RawEntry {
  const attributesOf = (ofCase: boolean): Attributes =>
    // Object.fromEntries makes own properties of all names, `__proto__` too.
    Object.fromEntries(
      columns.flatMap(({ name, isOfCase }, index) => {
        const value = record[index] ?? '';
        return isOfCase === ofCase && value !== '' ? [[name, value]] : [];
      }),
    );
  return { line, attributes: attributesOf(false), caseAttributes: attributesOf(true) };
}
