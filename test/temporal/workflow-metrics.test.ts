import type { Client, WorkflowHandle } from '@temporalio/client';
import { AggregateClient, TemporalEventStore, workflowMetrics } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connectClient, uniqueName, useWorker } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';
import { expectWorkerLog } from '../support/worker-log.js';

expectWorkerLog(/ failed \w+: Stream 'Wallet-1' was expected to be at version 7/);

async function serve(): Promise<{ client: Client; taskQueue: string; events: TemporalEventStore }> {
  const client = await connectClient();
  const taskQueue = uniqueName('metrics');
  const plugins = [new EventStorePlugin({ store: new MemoryEventStore(), aggregates: [Wallet] })];
  await useWorker({ taskQueue, plugins });
  return { client, taskQueue, events: new TemporalEventStore({ client, taskQueue }) };
}

/** The server's visibility comes after. */
const eventually = (assert: () => Promise<void>): Promise<void> => vi.waitFor(assert, { timeout: 30_000 });

it('counts the workflows of each family, and says how long they take', async () => {
  const { client, taskQueue, events } = await serve();
  await events.readStream('Wallet-1');
  await events.readAll();
  await expect(
    events.appendToStream('Wallet-1', [{ type: 'No', data: {} }], { expectedVersion: 7 }),
  ).rejects.toThrow();
  await events.statistics();
  const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue });
  await wallets.execute('1', 'deposit', { amount: 1 });

  await eventually(async () => {
    const { eventStore, command, query } = await workflowMetrics(client, { taskQueue });
    expect(eventStore).toMatchObject({ active: 0, completed: 2, failed: 1, cancelled: 0, sampled: 2 });
    expect(eventStore.averageExecutionTime).toBeGreaterThan(0);
    expect(command).toEqual({ active: 1, completed: 0, failed: 0, cancelled: 0, sampled: 0 });
    expect(query).toMatchObject({ active: 0, completed: 1, failed: 0, sampled: 1 });
  });
});

it('counts families of the user, and looks at no more executions than it should', async () => {
  const { client, taskQueue, events } = await serve();
  for (let read = 0; read < 3; read++) await events.readAll();
  const start = (): Promise<WorkflowHandle> =>
    client.workflow.start('eventStoreCommandLane', {
      taskQueue,
      workflowId: uniqueName('lane'),
      args: [{ version: 1, category: 'Wallet' }],
    });
  await (await start()).terminate();
  const cancelled = await start();
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);

  const families = { reads: ['eventStoreReadAll', 'eventStoreReadStream'], lanes: ['eventStoreCommandLane'] };
  await eventually(async () => {
    const { reads, lanes } = await workflowMetrics(client, { families, sample: 2, taskQueue });
    expect(reads).toMatchObject({ completed: 3, sampled: 2 });
    expect(lanes).toMatchObject({ active: 0, failed: 1, cancelled: 1 });
  });
  expect(await workflowMetrics(client, { families, sample: 0, taskQueue })).toMatchObject({
    reads: { completed: 3, sampled: 0 },
  });
});

it.each([
  ['an unknown option', { familys: {} }],
  ['a family without workflows', { families: { mine: [] } }],
  ['a name that would be part of a query', { families: { mine: [`x' OR WorkflowType = 'y`] } }],
  ['a fraction of an execution', { sample: 0.5 }],
])('refuses %s', async (_what, options) => {
  const client = await connectClient();
  await expect(workflowMetrics(client, options as object)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

it('says so when Temporal gives no answer', async () => {
  const client = await connectClient();
  const { connection } = client;
  onTestFinished(() => connection.close());
  const deadline = client.withDeadline(Date.now() - 1, () => workflowMetrics(client));
  await expect(deadline).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
