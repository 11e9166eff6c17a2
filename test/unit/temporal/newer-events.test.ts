import { MockActivityEnvironment } from '@temporalio/testing';
import { defineEvents, definePublisher, withEvents } from 'temporal-event-store';
import { createProjectionActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';

it.each([
  [1, 1_000],
  [101, 5_000],
])('asks for a worker that knows a newer event at attempt %i after %i ms', async (attempt, delay) => {
  const memory = new MemoryEventStore();
  await memory.appendToStream('A-1', [{ type: 'Paid', schemaVersion: 2, data: {} }]);
  const store = withEvents(memory, defineEvents({ Paid: {} }));
  const publisher = definePublisher({ name: 'bus', publisher: { publish: () => Promise.resolve() } });
  const { eventStoreProject } = createProjectionActivities({ store, projections: [publisher] });
  const input = { version: 1, name: 'bus', build: 1, shard: 0, heartbeatTimeout: 10_000 } as const;
  const run = new MockActivityEnvironment({ attempt }).run(() => eventStoreProject(input));
  await expect(run).rejects.toMatchObject({
    type: 'temporal-event-store.UnknownHere',
    nextRetryDelay: delay,
  });
});
