import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createAggregateActivities, createEventStoreActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { startTemporalServer } from '../../../dev/temporal-server.js';
import { Account } from '../../support/account.js';

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
    ...createAggregateActivities({ store, aggregates: [Account] }),
  },
});
await mkdir(folder, { recursive: true });
await worker.runUntil(async () => {
  const client = new Client({
    connection: await Connection.connect({ address: server.address }),
    namespace: server.namespace,
  });
  for (const [name, { type, args }] of Object.entries(recordings)) {
    const workflowId = `recorded-${name}`;
    const handle = await client.workflow.start(type, { taskQueue, workflowId, args: [...args] });
    await handle.result().catch(() => undefined);
    const history = historyToJSON(await handle.fetchHistory());
    // Whose machine it ran on is nobody's business.
    const text = JSON.stringify(
      JSON.parse(history),
      (key, value: unknown) => (key === 'identity' ? 'recorder' : key === 'stackTrace' ? '' : value),
      1,
    );
    await writeFile(new URL(`${name}.json`, folder), `${text}\n`);
    console.log(`recorded ${name}`);
  }
});
await connection.close();
await server.stop();
