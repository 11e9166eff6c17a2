import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Client } from '@temporalio/client';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { enrol, opened } from '../support/enrolment.js';
import { serveStore } from '../support/store-over-http.js';
import { connectClient, shortWorkflowTasks, uniqueName, workflowsModule } from '../support/temporal.js';
import { deposited, Purse } from '../support/transfers.js';
import { forkWorker } from '../support/worker-process.js';

let client: Client;
beforeAll(async () => {
  client = await connectClient({ interceptors: { workflow: [shortWorkflowTasks] } });
});

/** A worker in a process of its own; see test/support/mortal-worker.ts. */
function forkMortalWorker(taskQueue: string, storeUrl: string, dies: boolean): Promise<ChildProcess> {
  return forkWorker(new URL('../support/mortal-worker.ts', import.meta.url), {
    taskQueue,
    workflowsPath: workflowsModule('exactly-once'),
    env: { STORE_URL: storeUrl, DIES: dies ? 'yes' : 'no' },
  });
}

const happened = { type: 'Happened', data: { step: 1 } };

describe('a worker that is killed after the store has stored an append', () => {
  it.each([
    ['by the activity of a proxy', 'appendOnce', '1', 1],
    ['by the activity of a proxy, to several streams', 'transferOnce', '1', 2],
    [
      'by the local activity of a ready-made workflow',
      'eventStoreAppend',
      { streamId: 'Log-1', events: [happened] },
      1,
    ],
    [
      'by the local activity of a ready-made workflow, to several streams',
      'eventStoreAppendStreams',
      { appends: ['Log-1', 'Log-2'].map((streamId) => ({ streamId, events: [happened] })) },
      2,
    ],
  ])(
    'is followed by one that completes the workflow, the events stored once: %s',
    async (_how, type, argument, events) => {
      const store = new MemoryEventStore();
      const server = await serveStore(store);
      onTestFinished(() => server.close());
      const taskQueue = uniqueName('crash');
      const mortal = await forkMortalWorker(taskQueue, server.url, true);
      const handle = await client.workflow.start(type, {
        taskQueue,
        workflowId: uniqueName('crash'),
        args: [argument],
      });

      const [, signal] = (await once(mortal, 'exit')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      expect((await store.readAll()).position).toBe(events);

      await forkMortalWorker(taskQueue, server.url, false);
      const result = (await handle.result()) as boolean | { deduplicated: boolean };
      expect(typeof result === 'boolean' ? result : result.deduplicated).toBe(true);
      expect(server.appends()).toBe(2);
      expect((await store.readAll()).position).toBe(events);
    },
  );
});

describe('a worker that is killed after the store has stored what a command led to', () => {
  it.each([
    [
      'by a decision',
      (taskQueue: string) =>
        new AggregateClient({ client, aggregate: enrol, taskQueue }).execute('enrol', {
          course: 'a',
          student: 'ann',
        }),
      1,
    ],
    [
      'by a transfer to another stream',
      (taskQueue: string) =>
        new AggregateClient({ client, aggregate: Purse, taskQueue }).execute('1', 'transfer', {
          cents: 5,
          to: '2',
        }),
      2,
    ],
  ])(
    'is followed by one that answers the command, stored once: %s',
    async (_how, send, events) => {
      const store = new MemoryEventStore();
      await store.appendToStream('Course-a', [opened('a', 1)]);
      await store.appendToStream('Purse-1', [deposited(5)]);
      const server = await serveStore(store);
      onTestFinished(() => server.close());
      const taskQueue = uniqueName('crash');
      const mortal = await forkMortalWorker(taskQueue, server.url, true);
      const receipt = send(taskQueue);

      await once(mortal, 'exit');
      expect((await store.readAll({ after: 2 })).events).toHaveLength(events);

      await forkMortalWorker(taskQueue, server.url, false);
      // By now the course is full, and the purse empty.
      expect(await receipt).toMatchObject({ deduplicated: true, position: 2 + events });
      expect((await store.readAll({ after: 2 })).events).toHaveLength(events);
    },
    60_000,
  );
});
