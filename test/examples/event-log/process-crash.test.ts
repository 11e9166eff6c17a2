import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { ImportProgress } from '../../../examples/event-log/activities.js';
import { fingerprintOf } from '../../../examples/event-log/log-reader.js';
import { connectClient } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { runScript, startScript } from '../script.js';

const main = new URL('../../../examples/event-log/main.ts', import.meta.url);
const lines = 12_000;
/** Case after case, so that only the last window can have a part of what was to be stored. */
const linesOfCase = 10;
const casesInWindow = 500 / linesOfCase;

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

async function generateCases(): Promise<string> {
  const prefix = randomUUID().slice(0, 8);
  const rows = Array.from({ length: lines }, (_, index) => {
    const time = new Date(Date.UTC(2024, 0, 1, 0, 0, index)).toISOString();
    return `${prefix}-${Math.floor(index / linesOfCase)},step ${index % linesOfCase},${time}`;
  });
  return temporaryFile('cases.csv', ['case:concept:name,concept:name,time:timestamp', ...rows].join('\n'));
}

/** The workflow that imports a log, whatever the store. */
async function importOf(fingerprint: string): Promise<WorkflowHandle | undefined> {
  for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'importEventLog'" })) {
    if (workflowId.endsWith(fingerprint)) return client.workflow.getHandle(workflowId);
  }
  return undefined;
}

/** How many lines an import has told the server that it stored. */
async function linesDone(handle: WorkflowHandle | undefined): Promise<number> {
  const { raw } = (await handle?.describe()) ?? {};
  const payload = raw?.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  return payload ? defaultPayloadConverter.fromPayload<ImportProgress>(payload).done : 0;
}

interface Stream {
  readonly stream_id: string;
  /** The transaction that wrote the row last: each append does, also one that is known already. */
  readonly written_by: string;
}

/** What a folder holds, by SQL and without the library; of a copy, so that nobody but the store recovers it. */
async function contentOf(dataDir: string): Promise<{ streams: Stream[]; events: string[] }> {
  const copy = `${dataDir}-${randomUUID()}`;
  await cp(dataDir, copy, { recursive: true });
  const database = await PGlite.create(copy);
  try {
    const streams = await database.query<Stream>(
      'select stream_id, xmin::text as written_by from event_log_example.streams',
    );
    const events = await database.query<{ line: string }>(
      "select stream_id || ' ' || version || ' ' || type as line from event_log_example.events order by position",
    );
    return { streams: streams.rows, events: events.rows.map(({ line }) => line) };
  } finally {
    await database.close();
  }
}

describe('an import whose process is killed', { timeout: 120_000 }, () => {
  it.each([
    ['goes on in the same workflow', false],
    ['goes on where it stood when Temporal has lost the workflow too', true],
  ])('%s, and stores each event once', async (_what, isWorkflowLost) => {
    const file = await generateCases();
    const fingerprint = await fingerprintOf(file);
    const dataDir = `${dirname(file)}/store`;
    const { address, namespace } = inject('temporal');
    const env = {
      POSTGRES_URL: '',
      EVENT_LOG_STORE: dataDir,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
    };

    const mortal = startScript(main, [file], env);
    let acknowledged = 0;
    const progress = async (): Promise<number> =>
      (acknowledged = await linesDone(await importOf(fingerprint)));
    await expect.poll(progress, { timeout: 60_000, interval: 20 }).toBeGreaterThan(2_000);
    const workflow = (await importOf(fingerprint))!;
    const { runId } = await workflow.describe();
    mortal.kill('SIGKILL');
    await once(mortal, 'exit');
    const before = await contentOf(dataDir);
    expect(before.events.length).toBeGreaterThanOrEqual(acknowledged);
    expect(before.events.length).toBeLessThan(lines);
    if (isWorkflowLost) await workflow.terminate('lost');

    const { code, stdout, stderr } = await runScript(main, [file], { env });

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const added = isWorkflowLost
      ? `${(lines - before.events.length).toLocaleString('en')} of them new`
      : 'all new';
    expect(stdout).toContain(`12,000 events of 1,200 cases, ${added}, in `);
    const last = await workflow.describe();
    expect(last.status.name).toBe('COMPLETED');
    expect(last.runId === runId).toBe(!isWorkflowLost);

    const after = await contentOf(dataDir);
    const expected = Array.from({ length: lines }, (_each, index) => {
      const step = index % linesOfCase;
      return `${before.streams[0]!.stream_id.replace(/\d+$/, '')}${Math.floor(index / linesOfCase)} ${step + 1} step ${step}`;
    });
    expect([...after.events].sort()).toEqual(expected.sort());
    // It did not begin again: of the streams that were there, none was appended to but those of the window under way.
    const written = new Map(after.streams.map((stream) => [stream.stream_id, stream.written_by]));
    const appendedAgain = before.streams.filter(
      (stream) => written.get(stream.stream_id) !== stream.written_by,
    );
    expect(before.streams.length).toBeGreaterThan(3 * casesInWindow);
    expect(appendedAgain.length).toBeLessThanOrEqual(casesInWindow);
  });
});
