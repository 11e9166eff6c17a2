import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore } from 'temporal-event-store/testing';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, startWorker, uniqueName } from '../support/temporal.js';
import { expectWorkerLog, largePayload } from '../support/worker-log.js';

expectWorkerLog(
  / failed \w+: Stream '\w+-\w+' was expected /,
  / failed \w+: The commit 'c' of stream '\w+-\w+' holds other events/,
  / failed \w+: The append depends on events up to position \d+/,
  / failed \w+: Position \d+ is (ahead of the|of) store/,
  / failed \w+: From 1000-.* there are more than 100000 intervals/,
  largePayload,
);

const taskQueue = uniqueName('conformance');
let store: TemporalEventStore;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  stopWorker = await startWorker({
    taskQueue,
    plugins: [new EventStorePlugin({ store: new MemoryEventStore() })],
  });
  store = new TemporalEventStore({ client: await connectClient(), taskQueue });
});
afterAll(() => stopWorker());

describeEventStore('TemporalEventStore', () => store, {
  capabilities: ['appendToStreams', 'statistics'],
  describe: (name, define) => describe.concurrent(name, define),
  it,
  expect,
  // For a machine that runs much else.
  timeout: 30_000,
});
