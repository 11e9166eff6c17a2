import type { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions, type WorkerPlugin } from '@temporalio/worker';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { Account } from '../support/account.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const happened = { type: 'Happened', data: {} };

describe('EventStorePlugin', () => {
  it('works beside the workflows, activities and other plugins of its user', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('plugin');
    const seen: (string | undefined)[] = [];
    const other: WorkerPlugin = {
      name: 'other',
      configureWorker: (options: WorkerOptions) => {
        seen.push(options.workflowsPath);
        return options;
      },
    };
    await useWorker({
      taskQueue,
      workflowsPath: workflowsModule('own'),
      activities: { greet: async (name: string) => `Hello ${name}` },
      plugins: [new EventStorePlugin({ store }), other],
    });
    const remote = new TemporalEventStore({ client, taskQueue });
    await remote.appendToStream('Log-1', [happened]);

    expect((await store.readStream('Log-1')).version).toBe(1);
    expect(seen).toEqual([workflowsModule('own')]);
    expect(
      await client.workflow.execute('greeting', {
        taskQueue,
        workflowId: uniqueName('greet'),
        args: ['Ann'],
      }),
    ).toBe('Hello Ann');
  });

  it('may be registered on the connection and the worker at once', async () => {
    const store = new MemoryEventStore();
    const taskQueue = uniqueName('plugin');
    const plugin = new EventStorePlugin({ store, aggregates: [Account] });
    const { address, namespace } = inject('temporal');
    const connection = await NativeConnection.connect({ address, plugins: [plugin] });
    const worker = await Worker.create({ connection, namespace, taskQueue, plugins: [plugin] });
    const remote = new TemporalEventStore({ client, taskQueue });
    await worker.runUntil(async () => {
      await remote.appendToStream('Account-1', [{ type: 'Deposited', data: { amount: 5 } }]);
      expect(await remote.replay({ aggregate: 'Account', id: '1' })).toMatchObject({ version: 1 });
    });
    await connection.close();
  });

  it('leaves an activity alone that its user has replaced', () => {
    const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
    const mine = async (): Promise<void> => undefined;
    const options = plugin.configureWorker({ taskQueue: 'q', activities: { eventStorePublish: mine } });
    expect(options.activities).toMatchObject({ eventStorePublish: mine });
    expect(plugin.configureWorker(options)).toEqual(options);
  });

  it('adds no workflows to a worker that brings a bundle', () => {
    const plugin = new EventStorePlugin({ store: new MemoryEventStore() });
    const options = { taskQueue: 'q', workflowBundle: { code: '' } };
    expect(plugin.configureWorker(options).workflowsPath).toBe(undefined);
    expect(plugin.configureReplayWorker({}).workflowsPath).toMatch(/workflows\.cjs$/);
  });

  it.each([
    ['no store', undefined, /store/],
    ['something else as the store', { store: {} }, /EventStore/],
    ['an unknown option', { store: new MemoryEventStore(), projektions: [] }, /projektions/],
    [
      'two aggregates of one category',
      { store: new MemoryEventStore(), aggregates: [Account, class extends Account {}] },
      /Account/,
    ],
    ['a publisher that can not publish', { store: new MemoryEventStore(), publisher: {} }, /publisher/],
  ])('refuses %s', (_what, options, message) => {
    expect(() => new EventStorePlugin(options as never)).toThrow(message);
  });
});
