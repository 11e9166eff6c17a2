import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { AggregateRepository, DomainError, findEventStoreError, type EventStore } from 'temporal-event-store';
import type { EventPublisher } from 'temporal-event-store/activities';
import { cachingEventStore } from 'temporal-event-store/cache';
import { TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { fixedClock, given } from 'temporal-event-store/testing';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { Account } from './account.js';
import type { depositAndWithdraw } from './workflows.js';

const address = process.env['TEMPORAL_ADDRESS']!;
const namespace = process.env['TEMPORAL_NAMESPACE']!;
const taskQueue = `packaging-ts-${randomUUID()}`;

await given(Account, [{ type: 'Deposited', data: { amount: 5 } }])
  .when((account) => account.withdraw(7))
  .then({ reason: 'INSUFFICIENT_FUNDS' });

const store: EventStore = cachingEventStore(new MemoryEventStore({ clock: fixedClock() }));
const appendPublisher: EventPublisher = { publish: async () => {} };
const client = new Client({ connection: await Connection.connect({ address }), namespace });
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  plugins: [new EventStorePlugin({ store, appendPublisher, aggregates: [Account] })],
});

await worker.runUntil(async () => {
  const run = (...args: Parameters<typeof depositAndWithdraw>): Promise<number> =>
    client.workflow.execute<typeof depositAndWithdraw>('depositAndWithdraw', {
      taskQueue,
      workflowId: randomUUID(),
      args,
      workflowExecutionTimeout: '20 seconds',
    });
  assert.equal(await run('1', 5, 3), 2);
  const error: DomainError | undefined = await run('1', 5, 8).then(
    () => undefined,
    (thrown: unknown) => findEventStoreError(thrown, 'DOMAIN_ERROR'),
  );
  assert.ok(error instanceof DomainError);
  assert.equal(error.reason, 'INSUFFICIENT_FUNDS');

  const remote = new AggregateRepository(new TemporalEventStore({ client, taskQueue }), Account);
  assert.equal((await remote.load('1')).balance, 7);
});
await client.connection.close();
await connection.close();
console.log('the compiled worker runs an aggregate in a workflow');
