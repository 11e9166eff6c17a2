import type { Client } from '@temporalio/client';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore } from 'temporal-event-store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, startWorker, uniqueName, workflowsModule } from '../support/temporal.js';
import { expectWorkerLog, largePayload } from '../support/worker-log.js';

expectWorkerLog(
  / failed \w+: Stream '\w+-\w+' was expected /,
  / failed \w+: The commit 'c' of stream '\w+-\w+' holds other events/,
  / failed \w+: The append depends on events up to position \d+/,
  / failed \w+: Position \d+ is (ahead of the|of) store/,
  largePayload,
);

const taskQueue = uniqueName('conformance');
let client: Client;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  client = await connectClient();
  stopWorker = await startWorker({
    taskQueue,
    workflowsPath: workflowsModule('conformance'),
    activities: createEventStoreActivities({ store: new MemoryEventStore() }),
    // Every workflow task replays its case from the start.
    maxCachedWorkflows: 0,
  });
});
afterAll(() => stopWorker());

// The cases run in the sandbox, one workflow each; here they only get their names and their turn.
let next = 0;
describeEventStore('proxyEventStore in a workflow', () => new MemoryEventStore(), {
  capabilities: ['appendToStreams'],
  describe: (name, define) => describe.concurrent(name, define),
  it: (name) => {
    const index = next++;
    it(name, async () => {
      const failure: unknown = await client.workflow.execute('conformanceCase', {
        taskQueue,
        workflowId: uniqueName(`case-${index}`),
        args: [index, name],
      });
      expect(failure ?? undefined).toBe(undefined);
    });
  },
  expect,
});
