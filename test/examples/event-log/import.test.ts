import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, CancelledFailure } from '@temporalio/common';
import { MemoryEventStore } from 'temporal-event-store/memory';
import type { eventStoreReplay } from 'temporal-event-store/workflows';
import { beforeAll, describe, expect, it } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { findEventLogProblem } from '../../../examples/event-log/event-log-error.js';
import { importLog } from '../../../examples/event-log/import-log.js';
import { gate } from '../../support/gated-store.js';
import { connectClient, uniqueName } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { useImportWorker } from './import-worker.js';
import { copySample, expectImported, generateLog, sourceOf } from './logs.js';
import { watchAppends } from './watched-store.js';

expectWorkerLog(/ Workflow failed Error: Activity task failed/);

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

describe('an import', () => {
  it('appends a stream for each case and an event for each line', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await copySample());

    expect(await importLog(client, { log, taskQueue })).toEqual({ events: 244, cases: 20, added: 244 });
    await expectImported(store, log.file);
    const { events } = await store.readAll({ limit: 2 });
    expect(events).toMatchObject([
      {
        type: 'Bike received',
        occurredAt: '2024-02-12T11:42:00.000Z',
        tags: [tagOf(log.fingerprint)],
        data: {
          resource: 'Ines',
          lifecycle: 'complete',
          attributes: {},
          case: { bike: 'racer', channel: 'counter' },
        },
      },
      { type: 'Inspect', data: { resource: 'Ines', lifecycle: 'start', attributes: {} } },
    ]);
    expect(events[1]?.data).not.toHaveProperty('case');
  });

  it('adds nothing when the log is there already, also under another name and packed', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useImportWorker(store);
    const file = await copySample();
    await importLog(client, { log: await sourceOf(file), taskQueue });
    const packed = await temporaryFile('other.gz', gzipSync(await readFile(file)));
    for (const again of [file, packed]) {
      const result = await importLog(client, { log: await sourceOf(again), taskQueue });
      expect(result).toEqual({ events: 244, cases: 20, added: 0 });
    }
    await expectImported(store, file);
  });

  it('is joined by another one of the same log', async () => {
    const pause = gate();
    const store = watchAppends((call) => (call === 100 ? pause.opened : undefined));
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await generateLog());
    const first = importLog(client, { log, taskQueue });
    await expect.poll(() => store.appends(), { timeout: 10_000 }).toBeGreaterThanOrEqual(100);
    const second = importLog(client, { log, taskQueue });
    pause.open();
    const result = { events: 1600, cases: 40, added: 1600 };
    expect(await Promise.all([first, second])).toEqual([result, result]);
    expect(store.appends()).toBe(160);
    await expectImported(store, log.file);
  });

  it('tells how far it has come', async () => {
    const pause = gate();
    const store = watchAppends((call) => (call === 100 ? pause.opened : undefined));
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await generateLog());
    const seen: { done: number; total: number }[] = [];
    const imported = importLog(client, {
      log,
      taskQueue,
      onProgress: ({ done, total }) => {
        seen.push({ done, total });
        // Two windows are stored, the third is being appended.
        if (done === 1000) pause.open();
      },
    });
    await imported;
    expect(seen).toContainEqual({ done: 1000, total: 1600 });
    expect(seen.at(-1)).toEqual({ done: 1600, total: 1600 });
  });

  it('stops when it is cancelled', async () => {
    const store = watchAppends(async (call) => {
      if (call > 100) await delay(1_000);
    });
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await generateLog());
    const cancelling = new AbortController();
    const imported = importLog(client, { log, taskQueue, signal: cancelling.signal });
    await expect.poll(() => store.appends(), { timeout: 10_000 }).toBeGreaterThan(100);
    cancelling.abort();
    const error: unknown = await imported.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    // And nothing goes on.
    expect(store.answered()).toBe(store.appends());
    expect(store.stored()).toBeLessThan(160);
  });

  it('can be replayed case by case', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useImportWorker(store);
    const file = await copySample();
    await importLog(client, { log: await sourceOf(file), taskQueue });
    const [event] = (await store.readAll({ limit: 1 })).events;
    const replayed = await client.workflow.execute<typeof eventStoreReplay>('eventStoreReplay', {
      taskQueue,
      workflowId: uniqueName('replay'),
      args: [{ aggregate: 'Case', id: event!.streamId.slice('Case-'.length) }],
    });
    const { version } = await store.readStream(event!.streamId);
    expect(replayed).toMatchObject({
      version,
      state: { events: version, firstEventAt: '2024-02-12T11:42:00.000Z' },
    });
  });
});

describe('a log that is broken at its end', () => {
  it.each([
    [
      'a bad time',
      (content: string) => `${content}x,city bike,web,Repair,complete,Ines,some day,,\n`,
      246,
      /'some day'/,
    ],
    ['a line cut off', (content: string) => content.slice(0, -40), 245, /malformed/],
    ['an open quote', (content: string) => `${content}x,"city bike`, 246, /malformed/],
  ])(
    'fails the import at once, with its line, and nothing is stored: %s',
    async (_what, breakIt, line, problem) => {
      const store = watchAppends();
      const taskQueue = await useImportWorker(store);
      const content = await readFile(await copySample(), 'utf8');
      const file = await temporaryFile('broken.csv', breakIt(content));
      const error: unknown = await importLog(client, { log: await sourceOf(file), taskQueue }).catch(
        (reason: unknown) => reason,
      );
      expect(findEventLogProblem(error)).toMatch(problem);
      expect(findEventLogProblem(error)).toContain(`${file}, line ${line}: `);
      const { cause } = error as WorkflowFailedError;
      expect(cause).toBeInstanceOf(ActivityFailure);
      expect(cause?.cause).toMatchObject({
        type: 'EventLogError',
        nonRetryable: true,
        details: [{ file, line }],
      });
      expect(store.appends()).toBe(0);
    },
  );

  it('fails the import when it is not what the client saw, and nothing is stored', async () => {
    const store = watchAppends();
    const taskQueue = await useImportWorker(store);
    const log = { file: await copySample(), fingerprint: (await sourceOf(await copySample())).fingerprint };
    const error: unknown = await importLog(client, { log, taskQueue }).catch((reason: unknown) => reason);
    expect(findEventLogProblem(error)).toBe(`${log.file}: the file was changed while it was imported.`);
    expect(store.appends()).toBe(0);
  });

  it('is told apart from other failures', () => {
    expect(findEventLogProblem(new Error('other', { cause: new Error('inner') }))).toBeUndefined();
  });
});
