import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Client } from '@temporalio/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { importLog } from '../../../examples/event-log/import-log.js';
import { gate } from '../../support/gated-store.js';
import { serveStore } from '../../support/store-over-http.js';
import { connectClient, shortWorkflowTasks, uniqueName } from '../../support/temporal.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { forkWorker } from '../../support/worker-process.js';
import { importWorkflows, useImportWorker } from './import-worker.js';
import { expectImported, generateLog, sourceOf } from './logs.js';
import { watchAppends } from './watched-store.js';

expectWorkerLog(
  / Activity failed Error: The connection was reset/,
  / Activity failed Error: The disk is gone/,
);

let client: Client;
beforeAll(async () => {
  client = await connectClient({ interceptors: { workflow: [shortWorkflowTasks] } });
});

const wholeLog = { events: 1600, cases: 40, added: 1600 };

describe('an attempt to import that ends halfway', () => {
  it('is followed by one that goes on where it failed', async () => {
    // In the third of four windows of 40 commits.
    const store = watchAppends((call) => {
      if (call === 110) throw new Error('The connection was reset');
    });
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await generateLog());
    expect(await importLog(client, { log, taskQueue })).toEqual(wholeLog);
    await expectImported(store, log.file);
    // The two windows before were not appended again.
    expect(store.appends()).toBeLessThanOrEqual(110 + 16 + 80);
  });

  it('is followed by one that begins anew where the store is another', async () => {
    const [lost, found] = [new MemoryEventStore(), new MemoryEventStore()];
    const first = watchAppends((call) => {
      if (call === 3) throw new Error('The disk is gone');
    }, lost);
    const current = () => (first.appends() < 3 ? first : found);
    const taskQueue = await useImportWorker({
      appendToStream: (...args) => current().appendToStream(...args),
      readStream: (...args) => current().readStream(...args),
      readAll: (...args) => current().readAll(...args),
      findCommit: (...args) => current().findCommit(...args),
      statistics: (...args) => current().statistics(...args),
    });
    const log = await sourceOf(await generateLog(1));
    await importLog(client, { log, taskQueue });
    await expectImported(found, log.file);
    expect((await lost.statistics()).total).toBe(1000);
  });

  it('may hang, be replaced, and go on later without doing harm', async () => {
    const hang = gate();
    const store = watchAppends((call) => (call === 110 ? hang.opened : undefined));
    const taskQueue = await useImportWorker(store);
    const log = await sourceOf(await generateLog());
    // Until the heartbeat timeout of the attempt that hangs.
    expect(await importLog(client, { log, taskQueue })).toEqual(wholeLog);
    expect(store.answered()).toBeLessThan(store.appends());
    hang.open();
    await expect.poll(() => store.appends() - store.answered()).toBe(0);
    expect(store.stored()).toBe(160);
    await expectImported(store, log.file);
  });

  it('may be killed with its process', async () => {
    const store = new MemoryEventStore();
    const server = await serveStore(store);
    onTestFinished(() => server.close());
    const taskQueue = uniqueName('event-log');
    const log = await sourceOf(await generateLog());
    const mortal = await forkImportWorker(taskQueue, server.url, 110);
    const imported = importLog(client, { log, taskQueue });
    const [, signal] = (await once(mortal, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    const { total } = await store.statistics();
    expect(total).toBeGreaterThan(1000);
    expect(total).toBeLessThan(1600);

    await forkImportWorker(taskQueue, server.url, Infinity);
    expect(await imported).toEqual(wholeLog);
    await expectImported(store, log.file);
  });
});

/** A worker in a process of its own; see mortal-import-worker.ts. */
function forkImportWorker(taskQueue: string, storeUrl: string, lastAppend: number): Promise<ChildProcess> {
  return forkWorker(new URL('./mortal-import-worker.ts', import.meta.url), {
    taskQueue,
    workflowsPath: importWorkflows,
    env: { STORE_URL: storeUrl, LAST_APPEND: String(lastAppend) },
  });
}
