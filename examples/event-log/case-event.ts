import { streamId, type DomainEvent, type EventToAppend } from 'temporal-event-store';
import type { Attributes, LogEntry } from './log-entry.js';

/** A line of the log as an event: its type is the activity. */
export type CaseEvent = DomainEvent<string, CaseEventData> & {
  /** When the log says that it happened. */
  readonly occurredAt: string;
};

interface CaseEventData {
  /** Who did it (`org:resource`). */
  readonly resource?: string;
  /** How far the activity had come (`lifecycle:transition`), such as `START` or `COMPLETE`. */
  readonly lifecycle?: string;
  /** What else the log says about the event. */
  readonly attributes: Attributes;
  /** What the log says about the case; with its first event only. */
  readonly case?: Attributes;
}

export function toCaseEvent(entry: LogEntry, tag: string, isFirstOfCase: boolean): EventToAppend<CaseEvent> {
  const { activity, occurredAt, resource, lifecycle, attributes, caseAttributes } = entry;
  return {
    type: activity,
    occurredAt,
    tags: [tag],
    data: {
      ...(resource !== undefined && { resource }),
      ...(lifecycle !== undefined && { lifecycle }),
      attributes,
      ...(isFirstOfCase && { case: caseAttributes }),
    },
  };
}

export function caseStreamId(caseId: string): string {
  return streamId('Case', caseId);
}

/** What all events of a log are found by. Of its content, so that the same log under another name is the same. */
export function tagOf(fingerprint: string): string {
  return `log:${fingerprint.slice(0, 16)}`;
}
