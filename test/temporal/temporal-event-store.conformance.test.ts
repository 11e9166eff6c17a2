import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore } from 'temporal-event-store/testing';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, startWorker, uniqueName } from '../support/temporal.js';

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
  capabilities: ['statistics'],
  describe: (name, define) => describe.concurrent(name, define),
  it,
  expect,
});
