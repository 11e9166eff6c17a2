import type { EventToAppend } from 'temporal-event-store';
import { caseStreamId, tagOf, toCaseEvent, type CaseEvent } from './case-event.js';
import type { LogEntry } from './log-entry.js';

/** Some lines of the log that are appended together, and how many lines there were before them. */
export interface LogWindow {
  readonly start: number;
  readonly entries: readonly LogEntry[];
}

/** All events of one case in a window. */
export interface CaseCommit {
  readonly streamId: string;
  readonly commitId: string;
  readonly events: readonly EventToAppend<CaseEvent>[];
}

const maxEntries = 500;
const maxBytes = 1_000_000;

/**
 * Cuts a log into windows by its content alone, so that each attempt cuts it alike. The cases of a log may be
 * interleaved: a window holds a few lines of many, and that is all that the reading side keeps of the log.
 */
export async function* toWindows(entries: AsyncIterable<LogEntry>): AsyncGenerator<LogWindow> {
  let start = 0;
  let window: LogEntry[] = [];
  let bytes = 0;
  for await (const entry of entries) {
    window.push(entry);
    bytes += entry.size;
    if (window.length < maxEntries && bytes < maxBytes) continue;
    yield { start, entries: window };
    start += window.length;
    window = [];
    bytes = 0;
  }
  if (window.length > 0) yield { start, entries: window };
}

/**
 * One commit for each case in the window, in the order of the file. Its id comes from the content of the log, the case
 * and the window, so that whoever appends it again appends nothing.
 *
 * @param knownCases the cases of earlier windows; those of this one are added. It is what the reading side keeps beside
 * the window: a case id for each case
 */
export function toCommits(
  window: LogWindow,
  fingerprint: string,
  knownCases: Set<string>,
): readonly CaseCommit[] {
  const eventsOf = new Map<string, EventToAppend<CaseEvent>[]>();
  for (const entry of window.entries) {
    const { caseId } = entry;
    const event = toCaseEvent(entry, tagOf(fingerprint), !knownCases.has(caseId));
    knownCases.add(caseId);
    const events = eventsOf.get(caseId);
    if (events === undefined) eventsOf.set(caseId, [event]);
    else events.push(event);
  }
  return Array.from(eventsOf, ([caseId, events]) => ({
    streamId: caseStreamId(caseId),
    commitId: `${fingerprint}/${caseId}/${window.start}`,
    events,
  }));
}
