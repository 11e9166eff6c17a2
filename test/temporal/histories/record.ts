import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createAggregateActivities, createEventStoreActivities } from 'temporal-event-store/activities';
import { AggregateClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { startTemporalServer } from '../../../dev/temporal-server.js';
import { Account } from '../../support/account.js';
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
  'read-stream': { type: 'eventStoreReadStream', args: [{ streamId: 'Account-1' }] },
  'read-all': { type: 'eventStoreReadAll', args: [{ filter: { types: ['Opened'] } }] },
  'find-commit': { type: 'eventStoreFindCommit', args: [{ streamId: 'Account-1', commitId: 'c' }] },
  statistics: { type: 'eventStoreStatistics', args: [{}] },
  trends: { type: 'eventStoreTrends', args: [{ interval: 'day' }] },
  replay: { type: 'eventStoreReplay', args: [{ aggregate: 'Account', id: '1' }] },
  'proxy-and-repository': { type: 'appendThrice', args: ['2'] },
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
    ...createEventStoreActivities({ store, publisher: { publish: async () => undefined } }),
    ...createAggregateActivities({ store, aggregates: [Account, Wallet] }),
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
  for (const [name, maxUpdates] of Object.entries({ 'lane-idle': 100, 'lane-continue-as-new': 3 })) {
    const options = { maxUpdates, maxBatch: 5, idleTimeout: 1_000 };
    const wallets = new AggregateClient({ client, aggregate: Wallet, taskQueue, ...options });
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
});
await connection.close();
await server.stop();
