const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { Client, Connection } = require('@temporalio/client');
const { NativeConnection, Worker } = require('@temporalio/worker');
const { DomainError, findEventStoreError } = require('temporal-event-store');
const { TemporalEventStore } = require('temporal-event-store/client');
const { MemoryEventStore } = require('temporal-event-store/memory');
const { EventStorePlugin } = require('temporal-event-store/worker');

const address = process.env.TEMPORAL_ADDRESS;
const namespace = process.env.TEMPORAL_NAMESPACE;

async function main() {
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const connection = await NativeConnection.connect({ address });

  async function withWorker(options, use) {
    const taskQueue = `packaging-cjs-${randomUUID()}`;
    const plugins = [new EventStorePlugin({ store: new MemoryEventStore() })];
    const worker = await Worker.create({ connection, namespace, taskQueue, plugins, ...options });
    await worker.runUntil(use(taskQueue, new TemporalEventStore({ client, taskQueue })));
  }

  await withWorker({}, async (_taskQueue, store) => {
    const { version } = await store.appendToStream('Account-1', [{ type: 'Opened', data: { by: 'Zoë' } }]);
    const { events } = await store.readStream('Account-1');
    assert.equal(version, 1);
    assert.deepEqual(
      events.map(({ type, data }) => ({ type, data })),
      [{ type: 'Opened', data: { by: 'Zoë' } }],
    );
  });
  console.log('a worker with nothing but the plugin serves TemporalEventStore');

  const workflowsPath = require.resolve('./workflows.js');
  await withWorker({ workflowsPath }, async (taskQueue, store) => {
    const call = client.workflow.execute('openAndRefuse', {
      taskQueue,
      workflowId: randomUUID(),
      args: ['Account-2'],
      workflowExecutionTimeout: '20 seconds',
    });
    const error = await call.then(
      () => assert.fail('the workflow went through'),
      (thrown) => findEventStoreError(thrown, 'DOMAIN_ERROR'),
    );
    assert.ok(error instanceof DomainError);
    assert.equal(error.message, 'It is open already');
    assert.equal(error.reason, 'ALREADY_OPEN');
    assert.deepEqual(error.details, { streamId: 'Account-2' });
    const { version } = await store.readStream('Account-2');
    assert.equal(version, 1);
  });
  console.log('in a workflow of its own proxyEventStore appends, and a DomainError arrives typed');

  await client.connection.close();
  await connection.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
