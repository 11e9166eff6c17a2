import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { definePublisher, UnsafeReadError } from 'temporal-event-store';
import { createProjectionActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';

it('has operators wait for the primary when a standby answers', async () => {
  const store = new MemoryEventStore();
  const publisher = definePublisher({ name: 'bus', publisher: { publish: () => Promise.resolve() } });
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const activities = createProjectionActivities({ store, projections: [publisher], logger });
  store.readAll = () => Promise.reject(new UnsafeReadError('This server is a standby'));
  const environment = (): MockActivityEnvironment =>
    new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const failure = { message: 'This server is a standby', nonRetryable: false };
  for (const call of [
    () => activities.eventStoreRebaseProjection({ name: 'bus', from: 'end' }),
    () => activities.eventStoreAdoptStore({ name: 'bus' }),
    () => activities.eventStoreProjectionProgress({ name: 'bus' }),
  ]) {
    await expect(environment().run(call)).rejects.toMatchObject(failure);
  }
});
