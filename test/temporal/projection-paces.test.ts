import type { Client } from '@temporalio/client';
import type { EventStore } from 'temporal-event-store';
import { createProjectionActivities, type ProjectionActivities } from 'temporal-event-store/activities';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { deposited, memoryBalances, type BalanceEvent } from '../support/balances.js';
import { connectClient, uniqueName, useWorker } from '../support/temporal.js';

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

async function deposit(store: EventStore): Promise<number> {
  return (await store.appendToStream<BalanceEvent>('Account-1', [deposited(1)])).position;
}

/** A projection that is idle after that many milliseconds, and the activities that project it just now. */
async function usePaced(after: number) {
  const store = new MemoryEventStore();
  const { projection, sink } = memoryBalances();
  const taskQueue = uniqueName('paces');
  const idlePace = { after, heartbeatTimeout: 60_000, duration: 60_000, busyAfter: 100 };
  const activities = createProjectionActivities({ store, projections: [projection], idlePace });
  const running = new Set<object>();
  const eventStoreProject: ProjectionActivities['eventStoreProject'] = async (shard) => {
    running.add(shard);
    return activities.eventStoreProject(shard).finally(() => running.delete(shard));
  };
  const plugins = [new EventStorePlugin({ store, projections: [projection] })];
  await useWorker({ taskQueue, activities: { ...activities, eventStoreProject }, plugins });
  const projector = new ProjectionClient({ client, taskQueue });
  await projector.start('balances');
  /** Seconds of the heartbeat time-outs of those that were ever scheduled. */
  const heartbeatTimeouts = async (): Promise<readonly number[]> => {
    const id = `event-store/projection/${taskQueue}/balances`;
    const [child] = (await client.workflow.getHandle(id).describe()).raw.pendingChildren ?? [];
    const { events } = await client.workflow.getHandle(child?.workflowId ?? '').fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled ? [Number(scheduled.heartbeatTimeout?.seconds)] : [],
    );
  };
  return { store, sink, projector, heartbeatTimeouts, running };
}

describe('an idle shard', () => {
  it('tells that it lives once in 48 seconds, until events of its own keep coming', async () => {
    const { store, sink, projector, heartbeatTimeouts } = await usePaced(300);
    await projector.waitFor('balances', await deposit(store));
    await expect.poll(heartbeatTimeouts, { timeout: 10_000 }).toEqual([10, 60]);

    await projector.waitFor('balances', await deposit(store));
    expect(sink.model('balances')).toEqual(new Map([['Account-1', { balance: 2, events: 2 }]]));
    expect(await heartbeatTimeouts()).toEqual([10, 60]);
    await expect
      .poll(async () => {
        await deposit(store);
        return (await heartbeatTimeouts()).slice(0, 3);
      })
      .toEqual([10, 60, 10]);
  });

  it('that is paused ends at once, and goes on at once when it is resumed', async () => {
    const { store, projector, heartbeatTimeouts, running } = await usePaced(300);
    await expect.poll(heartbeatTimeouts, { timeout: 10_000 }).toEqual([10, 60]);
    await expect.poll(() => [...running]).toMatchObject([{ isIdle: true }]);

    await projector.pause('balances');
    await expect.poll(() => running.size, { timeout: 1_000 }).toBe(0);
    const position = await deposit(store);
    await projector.resume('balances');
    await projector.waitFor('balances', position, { timeout: 5_000 });
    // Between its two paces it has none for a moment.
    await expect.poll(() => running.size).toBe(1);
  });
});
