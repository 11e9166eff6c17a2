import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import {
  createAggregateActivities,
  createEventStoreActivities,
  createProjectionActivities,
} from 'temporal-event-store/activities';
import { AggregateClient, ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { startTemporalServer } from '../../../dev/temporal-server.js';
import { Account } from '../../support/account.js';
import { deposited, memoryBalances } from '../../support/balances.js';
import { Wallet } from '../../support/wallet.js';

// Records a history of each library-owned workflow, and of users' workflows over the proxies, for the present version.
// Run it before a release (`npm run record:histories`) and commit what it writes; the tests replay all of them, so a
// change that would break workflows in flight is seen before users see it.

const root = new URL('../../../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
const folder = new URL(`${version}/`, import.meta.url);
const taskQueue = 'recording';
const opened = { type: 'Opened', data: { owner: 'ann' } };

const recordings: Record<string, { readonly type: string; readonly args: readonly unknown[] }> = {
  append: {
    type: 'eventStoreAppend',
    args: [{ streamId: 'Account-1', events: [opened], options: { commitId: 'c' } }],
  },
  'append-refused': {
    type: 'eventStoreAppend',
    args: [{ streamId: 'Account-1', events: [opened], options: { expectedVersion: 'noStream' } }],
  },
  'append-streams': {
    type: 'eventStoreAppendStreams',
    args: [
      {
        appends: ['Log-8', 'Log-9'].map((streamId) => ({ streamId, events: [opened] })),
        options: { commitId: 'c' },
      },
    ],
  },
  'read-stream': { type: 'eventStoreReadStream', args: [{ streamId: 'Account-1' }] },
  'read-all': { type: 'eventStoreReadAll', args: [{ filter: { types: ['Opened'] } }] },
  'find-commit': { type: 'eventStoreFindCommit', args: [{ streamId: 'Account-1', commitId: 'c' }] },
  statistics: { type: 'eventStoreStatistics', args: [{}] },
  trends: { type: 'eventStoreTrends', args: [{ interval: 'day' }] },
  replay: { type: 'eventStoreReplay', args: [{ aggregate: 'Account', id: '1' }] },
  'proxy-and-repository': { type: 'appendThrice', args: ['2'] },
  'proxy-of-streams': { type: 'transferUnderCondition', args: ['4'] },
  'continue-as-new': { type: 'appendAndContinueAsNew', args: ['3', 2] },
};

const server = await startTemporalServer();
const connection = await NativeConnection.connect({ address: server.address });
const store = new MemoryEventStore();
const worker = await Worker.create({
  connection,
  namespace: server.namespace,
  taskQueue,
  workflowsPath: new URL('test/temporal/workflows/exactly-once.ts', root).pathname,
  activities: {
    ...createEventStoreActivities({ store, appendPublisher: { publish: async () => undefined } }),
    ...createAggregateActivities({
      store,
      aggregates: [Account, Wallet],
      commandLanes: { maxUpdates: 3, idleTimeout: 1_000 },
    }),
    ...createProjectionActivities({
      store,
      projections: [
        memoryBalances({
          shards: 2,
          maxAttempts: 1,
          onEvent: (type) => {
            if (type === 'Broken') throw new Error('never');
          },
        }).projection,
      ],
    }),
  },
});
await mkdir(folder, { recursive: true });
await worker.runUntil(async () => {
  const client = new Client({
    connection: await Connection.connect({ address: server.address }),
    namespace: server.namespace,
  });
  const record = async (name: string, handle: WorkflowHandle): Promise<void> => {
    const history = historyToJSON(await handle.fetchHistory());
    // Whose machine it ran on is nobody's business.
    const text = JSON.stringify(
      JSON.parse(history),
      (key, value: unknown) => (key === 'identity' ? 'recorder' : key === 'stackTrace' ? '' : value),
      1,
    );
    await writeFile(new URL(`${name}.json`, folder), `${text}\n`);
    console.log(`recorded ${name}`);
  };
  for (const [name, { type, args }] of Object.entries(recordings)) {
    const workflowId = `recorded-${name}`;
    const handle = await client.workflow.start(type, { taskQueue, workflowId, args: [...args] });
    await handle.result().catch(() => undefined);
    await record(name, handle);
  }
  for (const [name, maxBatch] of Object.entries({ 'lane-idle': 100, 'lane-continue-as-new': 5 })) {
    const wallets = new AggregateClient({
      client,
      aggregate: Wallet,
      taskQueue,
      lanes: 'per-aggregate',
      maxBatch,
    });
    const commands = Array.from({ length: 30 }, (_, n) =>
      wallets.execute(name, n % 3 === 0 ? 'deposit' : 'withdraw', { amount: 1 + (n % 5) }),
    );
    const settled = Promise.allSettled(commands);
    const lane = client.workflow.getHandle(`event-store/commands/${taskQueue}/Wallet/${name}`);
    await commands[0];
    const { runId } = await lane.describe();
    await settled;
    await lane.result();
    await record(name, client.workflow.getHandle(lane.workflowId, runId));
  }

  const projections = new ProjectionClient({ client, taskQueue });
  const append = async (...events: { type: string; data: object }[]): Promise<number> =>
    (await store.appendToStream('Balance-1', events)).position;
  await projections.start('balances');
  await projections.waitFor('balances', await append(deposited(1)));
  await projections.pause('balances');
  await projections.resume('balances');
  const { eventIds, position } = await store.appendToStream('Balance-1', [{ type: 'Broken', data: {} }]);
  await projections.waitFor('balances', position).catch(() => undefined);
  await projections.skip('balances', eventIds[0] as string, { operator: 'Ann', reason: 'recorded' });
  await projections.waitFor('balances', await append(deposited(2)));
  await projections.rebuild('balances');
  // Each look is an update, which the history keeps.
  while ((await projections.status('balances')).rebuild !== undefined) await setTimeout(500);
  await projections.rollback('balances');
  await projections.waitFor('balances', await append(deposited(3)));
  const waiting = await client.workflow.start('eventStoreAwaitProjection', {
    taskQueue,
    workflowId: 'recorded-projection-wait',
    args: [{ name: 'balances', from: 1_000, to: 1_000, timeout: 1_000 }],
  });
  await waiting.result();
  await record('projection-wait', waiting);
  const projection = client.workflow.getHandle(`event-store/projection/${taskQueue}/balances`);
  const share = client.workflow.getHandle(`${projection.workflowId}/1/0`);
  await projections.stop('balances');
  await projection.result();
  await record('projection', projection);
  await record('projection-share', share);
});
await connection.close();
await server.stop();
