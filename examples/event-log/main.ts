import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { isEventStoreError, parseStreamId } from 'temporal-event-store';
import { createAggregateActivities } from 'temporal-event-store/activities';
import type { eventStoreReplay } from 'temporal-event-store/workflows';
import { startTemporalServer, type TemporalServer } from '../../dev/temporal-server.js';
import { openStore, type OpenStore } from '../open-store.js';
import { createImportActivities, type LogSource } from './activities.js';
import { CaseAggregate } from './case-aggregate.js';
import { tagOf } from './case-event.js';
import { findEventLogProblem } from './event-log-error.js';
import { importLog } from './import-log.js';
import { fingerprintOf } from './log-reader.js';
import { createProgressBar } from './progress.js';
import { describeLog, findLongestStream, format } from './report.js';

/** Beside this file, so that an import which was interrupted is found by the next one. */
const dataDir = process.env['EVENT_LOG_STORE'] ?? fileURLToPath(new URL('./.store/pglite', import.meta.url));

async function main(argument: string | undefined): Promise<void> {
  if (argument === undefined) console.log('No log given, so here is the one of a bicycle workshop.');
  const file =
    argument === undefined
      ? fileURLToPath(new URL('./sample-log.csv', import.meta.url))
      : // Where npm was called; it runs scripts in the folder of the package.
        resolve(process.env['INIT_CWD'] ?? '.', argument);
  const log = { file, fingerprint: await fingerprintOf(file) };

  const { store, place, close } = await openStore({ schema: 'event_log_example', dataDir });
  try {
    console.log(`The event store is ${place}.`);
    await importAndShow(log, store);
  } finally {
    await close();
  }
}

async function importAndShow(log: LogSource, store: OpenStore['store']): Promise<void> {
  const { storeId } = await store.readAll({ limit: 1 });
  // No worker with another store may take these tasks.
  const taskQueue = `event-log-${storeId}`;

  // A failed import is told below, in one line; Ctrl+C cancels the import and leaves the worker to see to it.
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const server = await startTemporalServer();
  const connection = await Connection.connect({ address: server.address });
  try {
    const client = new Client({ connection, namespace: server.namespace });
    await withWorker({ server, store, taskQueue }, async () => {
      await importWithProgress(client, { log, taskQueue });
      const tag = tagOf(log.fingerprint);
      console.log(await describeLog(store, tag));
      const longest = await findLongestStream(store, tag);
      if (longest !== undefined) await replayCase(client, { stream: longest.streamId, taskQueue });
    });
  } finally {
    await connection.close();
    await server.stop();
  }
}

/** A worker in this process. With a store on a server, there may be any number of both. */
async function withWorker(
  options: {
    readonly server: TemporalServer;
    readonly store: OpenStore['store'];
    readonly taskQueue: string;
  },
  run: () => Promise<void>,
): Promise<void> {
  const { server, store, taskQueue } = options;
  const connection = await NativeConnection.connect({ address: server.address });
  try {
    const worker = await Worker.create({
      connection,
      namespace: server.namespace,
      taskQueue,
      workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
      activities: {
        ...createImportActivities({ store }),
        ...createAggregateActivities({ store, aggregates: [CaseAggregate] }),
      },
      // The progress bar lives on heartbeats, which are otherwise sent at four fifths of their timeout.
      maxHeartbeatThrottleInterval: '500 milliseconds',
      // After this process was killed, the server waits that long for it before it asks its successor.
      stickyQueueScheduleToStartTimeout: '1 second',
    });
    await worker.runUntil(run);
  } finally {
    await connection.close();
  }
}

async function importWithProgress(
  client: Client,
  { log, taskQueue }: { readonly log: LogSource; readonly taskQueue: string },
): Promise<void> {
  console.log(`Importing ${log.file}`);
  const started = performance.now();
  const bar = createProgressBar();
  const interruption = new AbortController();
  const interrupt = () => {
    interruption.abort();
  };
  process.once('SIGINT', interrupt);
  const { events, cases, added } = await importLog(client, {
    log,
    taskQueue,
    onProgress: bar.update,
    signal: interruption.signal,
  }).finally(() => {
    process.off('SIGINT', interrupt);
    bar.stop();
  });
  const seconds = (performance.now() - started) / 1_000;
  const news =
    added === 0 ? 'already imported' : added === events ? 'all new' : `${format(added)} of them new`;
  console.log(
    `${format(events)} events of ${format(cases)} cases, ${news}, in ${seconds.toFixed(1)} s` +
      ` (${format(Math.round(events / seconds))} events/s with the check before)\n`,
  );
}

/** The state of a case, as its events build it up: by a ready-made workflow of the library. */
async function replayCase(
  client: Client,
  { stream, taskQueue }: { readonly stream: string; readonly taskQueue: string },
): Promise<void> {
  const { id } = parseStreamId(stream);
  const { version, state } = await client.workflow.execute<typeof eventStoreReplay>('eventStoreReplay', {
    workflowId: `event-log-replay/${crypto.randomUUID()}`,
    taskQueue,
    args: [{ aggregate: 'Case', id }],
  });
  console.log(`\nReplay of ${stream}, version ${version}`);
  console.log(inspect(state, { maxArrayLength: 12, breakLength: 100, colors: process.stdout.isTTY }));
}

try {
  await main(process.argv[2]);
} catch (error) {
  const isCancelled = error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
  const problem = isEventStoreError(error) ? error.message : (findEventLogProblem(error) ?? error);
  console.error(isCancelled ? 'The import was cancelled.' : problem);
  process.exitCode = 1;
}
