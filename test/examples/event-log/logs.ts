import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { iterateAll, type EventStore } from 'temporal-event-store';
import { expect } from 'vitest';
import { fingerprintOf, openEventLog } from '../../../examples/event-log/log-reader.js';
import { temporaryFile } from '../../support/temporary-file.js';

const sampleLog = fileURLToPath(new URL('../../../examples/event-log/sample-log.csv', import.meta.url));

/** The sample with case ids of its own: what has the same content is the same import, also of another test. */
export async function copySample(): Promise<string> {
  const content = await readFile(sampleLog, 'utf8');
  return temporaryFile('sample.csv', content.replaceAll('job-', `${randomUUID().slice(0, 8)}-`));
}

/** Of 500 lines a window, of interleaved cases, which have a commit in each. */
export async function generateLog(cases = 40, count = 1_600): Promise<string> {
  const prefix = randomUUID().slice(0, 8);
  const lines = Array.from({ length: count }, (_, index) => {
    const time = new Date(Date.UTC(2024, 0, 1, 0, index)).toISOString();
    return `${prefix}-${(index * 7) % cases},step ${index},${time}`;
  });
  return temporaryFile(
    'generated.csv',
    ['case:concept:name,concept:name,time:timestamp', ...lines].join('\n'),
  );
}

export async function sourceOf(file: string): Promise<{ file: string; fingerprint: string }> {
  return { file, fingerprint: await fingerprintOf(file) };
}

/** The store holds each line of the log once, those of a case in the order of the file, and nothing else. */
export async function expectImported(store: EventStore, file: string): Promise<void> {
  const expected = new Map<string, string[]>();
  for await (const { caseId, activity, occurredAt } of openEventLog(file).entries) {
    const lines = expected.get(`Case-${caseId}`) ?? [];
    expected.set(`Case-${caseId}`, [...lines, `${activity} at ${new Date(occurredAt).toISOString()}`]);
  }
  const found = new Map<string, string[]>();
  for await (const { streamId, version, type, occurredAt } of iterateAll(store)) {
    const events = found.get(streamId) ?? [];
    events.push(`${type} at ${occurredAt}`);
    expect(version).toBe(events.length);
    found.set(streamId, events);
  }
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
}
