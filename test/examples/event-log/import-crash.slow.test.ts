import { randomUUID } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Client } from '@temporalio/client';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { fingerprintOf } from '../../../examples/event-log/log-reader.js';
import { connectClient } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { runScript } from '../script.js';

const main = new URL('../../../examples/dist/event-log/main.js', import.meta.url);
const killAtAppend = new URL('./kill-at-append.mjs', import.meta.url).href;
const lines = 8_000;
/** Case after case, so that only the last window can have a part of what was to be stored. */
const linesOfCase = 10;
const casesInWindow = 500 / linesOfCase;
/** In the tenth of sixteen windows. */
const lastAppend = 470;

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

interface Stream {
  readonly stream_id: string;
  /** The transaction that wrote the row last: each append does, also one that is known already. */
  readonly written_by: string;
}

/** What a folder holds, by SQL and without the library; of a copy, so that nobody but the store recovers it. */
async function contentOf(dataDir: string): Promise<{ storeId: string; streams: Stream[]; events: string[] }> {
  const copy = `${dataDir}-${randomUUID()}`;
  await cp(dataDir, copy, { recursive: true });
  const database = await PGlite.create(copy);
  try {
    const store = await database.query<{ store_id: string }>('select store_id from event_log_example.store');
    const streams = await database.query<Stream>(
      'select stream_id, xmin::text as written_by from event_log_example.streams',
    );
    const events = await database.query<{ line: string }>(
      "select stream_id || ' ' || version || ' ' || type as line from event_log_example.events order by position",
    );
    return {
      storeId: store.rows[0]!.store_id,
      streams: streams.rows,
      events: events.rows.map(({ line }) => line),
    };
  } finally {
    await database.close();
  }
}

describe('an import whose process is killed', { timeout: 180_000 }, () => {
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

    const killed = await runScript(main, [file], {
      nodeOptions: ['--import', killAtAppend],
      env: { ...env, LAST_APPEND: String(lastAppend) },
    });
    expect(killed.code).toBe('SIGKILL');
    const before = await contentOf(dataDir);
    expect(before.events.length).toBeGreaterThanOrEqual(lastAppend * linesOfCase);
    expect(before.events.length).toBeLessThan(lines);
    const workflow = client.workflow.getHandle(`event-log-import/event-log-${before.storeId}/${fingerprint}`);
    const { runId } = await workflow.describe();
    if (isWorkflowLost) await workflow.terminate('lost');

    const { code, stdout, stderr } = await runScript(main, [file], { env });

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const added = isWorkflowLost
      ? `${(lines - before.events.length).toLocaleString('en')} of them new`
      : 'all new';
    expect(stdout).toContain(`8,000 events of 800 cases, ${added}, in `);
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
    expect(appendedAgain.length).toBeLessThanOrEqual(casesInWindow);
  });
});
