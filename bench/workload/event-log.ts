import { randomUUID } from 'node:crypto';
import { caseStreamId, toCaseEvent } from '../../examples/event-log/case-event.js';
import { openEventLog } from '../../examples/event-log/log-reader.js';
import type { Append, NewEvent } from '../contenders/contender.js';

/** A process log, up to a number of events, as one append for each of its cases, in the order in which they begin. */
export async function readEventLog(file: string, maxEvents: number): Promise<readonly Append[]> {
  const cases = new Map<string, NewEvent[]>();
  let ref = 0;
  for await (const entry of openEventLog(file).entries) {
    let events = cases.get(entry.caseId);
    const { type, data, occurredAt, tags } = toCaseEvent(entry, 'log:bpic2012', events === undefined);
    if (events === undefined) cases.set(entry.caseId, (events = []));
    events.push({
      id: randomUUID(),
      type,
      data: { ref: ++ref, ...data },
      metadata: { correlationId: entry.caseId },
      tags: tags ?? [],
      occurredAt,
    });
    if (ref === maxEvents) break;
  }
  return Array.from(cases, ([caseId, events]) => ({
    streamId: caseStreamId(caseId),
    expectedVersion: 0,
    commitId: randomUUID(),
    events,
  }));
}
