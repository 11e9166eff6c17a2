import type { Client } from '@temporalio/client';
import {
  definePublisher,
  defineReaction,
  startWorkflow,
  toCloudEvent,
  type CloudEvent,
  type EventStore,
  type StoreCapabilities,
} from 'temporal-event-store';
import { WebhookPublisher } from 'temporal-event-store/activities';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, expect, it } from 'vitest';
import { usePGliteStore } from '../support/pglite.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';
import { newSecret, useReceiver } from '../support/webhook-receiver.js';
import type { refund } from './workflows/reactions.js';

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

/** Tenants of one namespace: the same code and the same names, each with a store and a task queue of its own. */
async function useTenants() {
  const receiver = await useReceiver();
  const publisher = new WebhookPublisher({ url: receiver.url, secrets: [newSecret()] });
  const name = uniqueName('refunds');
  const started = async (store: EventStore & StoreCapabilities, amount: number) => {
    const taskQueue = uniqueName('tenant');
    const projections = [
      defineReaction({
        name,
        on: 'PaymentFailed',
        handle: ({ streamId }) => startWorkflow<typeof refund>('refund', { args: [streamId, amount] }),
      }),
      definePublisher({ name: 'hook', filter: { categories: ['Payment'] }, publisher }),
    ];
    const plugins = [new EventStorePlugin({ store, projections, aggregates: [Wallet] })];
    await useWorker({ taskQueue, plugins, workflowsPath: workflowsModule('reactions') });
    const projector = new ProjectionClient({ client, taskQueue });
    const { position } = await store.appendToStream('Payment-1', [{ type: 'PaymentFailed', data: {} }], {
      commitId: 'request-1',
    });
    for (const projection of projections) {
      await projector.start(projection.name);
      await projector.waitFor(projection.name, position);
    }
    const { events } = await store.readStream('Payment-1');
    const [event] = events;
    const workflow = client.workflow.getHandle(`event-store/reaction/${name}/${event!.id}/0`);
    return { store, taskQueue, event: event!, workflow };
  };
  return {
    receiver,
    north: await started(new MemoryEventStore(), 1),
    south: await started(await usePGliteStore(), 2),
  };
}

it('two stores in one namespace, with the same streams and commits, have events of their own and all that follows from them', async () => {
  const { north, south, receiver } = await useTenants();

  expect(north.event).toMatchObject({ streamId: 'Payment-1', commitId: 'request-1' });
  expect(south.event).toMatchObject({ streamId: 'Payment-1', commitId: 'request-1' });
  expect(await north.workflow.result()).toBe('1 for Payment-1');
  expect(await south.workflow.result()).toBe('2 for Payment-1');
  expect((await north.workflow.describe()).taskQueue).toBe(north.taskQueue);
  expect((await south.workflow.describe()).taskQueue).toBe(south.taskQueue);

  const keyOf = ({ source, id }: CloudEvent) => `${source} ${id}`;
  expect(keyOf(toCloudEvent(north.event))).not.toBe(keyOf(toCloudEvent(south.event)));
  const delivered = receiver.deliveries.map(({ headers }) => headers['webhook-id']);
  expect(delivered).toEqual([north.event.id, south.event.id]);

  for (const { store, taskQueue } of [north, south]) {
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
    const command = ['1', 'deposit', { amount: 5 }, { commandId: 'request-1' }] as const;
    const { events, deduplicated } = await wallets.execute(...command);
    const stored = await store.readStream('Wallet-1');
    expect({ events, deduplicated }).toEqual({
      events: stored.events.map(({ id, type }) => ({ id, type })),
      deduplicated: false,
    });
    expect(await wallets.execute(...command)).toMatchObject({ events, deduplicated: true });
    await wallets.close();
  }
});
