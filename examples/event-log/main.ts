import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { isEventStoreError, parseStreamId } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { EventStorePlugin } from 'temporal-event-store/worker';
import type { eventStoreReplay } from 'temporal-event-store/workflows';
import { openStore, type OpenStore } from '../open-store.js';
import { packageFolder } from '../package-folder.js';
import { installRuntime } from '../runtime.js';
import { startTemporalServer, type TemporalServer } from '../temporal-server.js';
import { createImportActivities, type LogSource } from './activities.js';
import { CaseAggregate } from './case-aggregate.js';
import { tagOf } from './case-event.js';
import { readCaseFigures } from './case-figures.js';
import { defineCaseProjection } from './case-projection.js';
import { describeCases } from './case-report.js';
import { findEventLogProblem } from './event-log-error.js';
import { importLog } from './import-log.js';
import { fingerprintOf } from './log-reader.js';
import { figureFile, OptionError, readOptions } from './options.js';
import { createProgressBar, type ProgressBar } from './progress.js';
import { projectCases } from './project-cases.js';
import { describeLog, findLongestStream, format } from './report.js';
import { drawTransitions } from './transition-matrix.js';

/** In the folder of the examples, so that an import which was interrupted is found by the next one. */
const dataDir = process.env['EVENT_LOG_STORE'] ?? fileURLToPath(new URL('.store/event-log', packageFolder));

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options.log === undefined) console.log('No log given, so here is the one of a bicycle workshop.');
  const file = options.log ?? fileURLToPath(new URL('event-log/sample-log.csv', packageFolder));
  const log = { file, fingerprint: await fingerprintOf(file) };
  const figure = await figureFile(options, log.fingerprint);

  const opened = await openStore({ schema: 'event_log_example', dataDir });
  try {
    console.log(`The event store is ${opened.place}.`);
    await importAndShow(log, opened, figure);
  } finally {
    await opened.close();
  }
}

async function importAndShow(log: LogSource, opened: OpenStore, figure: string): Promise<void> {
  const { store } = opened;
  const { storeId } = await store.readAll({ limit: 1 });
  // No worker with another store may take these tasks.
  const taskQueue = `event-log-${storeId}`;

  // A failed import is told below, in one line; Ctrl+C cancels the import and leaves the worker to see to it.
  installRuntime('ERROR', { shutdownSignals: [] });
  const server = await startTemporalServer();
  const connection = await Connection.connect({ address: server.address });
  try {
    const client = new Client({ connection, namespace: server.namespace });
    await withWorker({ server, opened, taskQueue }, async () => {
      await importWithProgress(client, { log, taskQueue });
      const tag = tagOf(log.fingerprint);
      console.log(await describeLog(store, tag));
      const longest = await findLongestStream(store, tag);
      if (longest !== undefined) await replayCase(client, { stream: longest.streamId, taskQueue });
      await projectAndShow(new ProjectionClient({ client, taskQueue }), opened, { log, figure });
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
    readonly opened: OpenStore;
    readonly taskQueue: string;
  },
  run: () => Promise<void>,
): Promise<void> {
  const { server, taskQueue } = options;
  const { store, readModels } = options.opened;
  const connection = await NativeConnection.connect({ address: server.address });
  try {
    const worker = await Worker.create({
      connection,
      namespace: server.namespace,
      taskQueue,
      workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
      activities: createImportActivities({ store }),
      plugins: [
        new EventStorePlugin({
          store,
          aggregates: [CaseAggregate],
          projections: [defineCaseProjection(readModels.sink)],
        }),
      ],
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
  const { events, cases, added } = await withProgress((bar, signal) =>
    importLog(client, { log, taskQueue, onProgress: bar.update, signal }),
  );
  const seconds = (performance.now() - started) / 1_000;
  const news =
    added === 0 ? 'already imported' : added === events ? 'all new' : `${format(added)} of them new`;
  console.log(
    `${format(events)} events of ${format(cases)} cases, ${news}, in ${seconds.toFixed(1)} s` +
      ` (${format(Math.round(events / seconds))} events/s with the check before)\n`,
  );
}

/** A read model of the cases, kept by a projection. */
async function projectAndShow(
  projections: ProjectionClient,
  { store, readModels }: OpenStore,
  { log, figure }: { readonly log: LogSource; readonly figure: string },
): Promise<void> {
  console.log('\nProjecting the cases');
  await withProgress((bar, signal) => projectCases(projections, store, { onProgress: bar.update, signal }));
  const figures = await readCaseFigures(readModels.client, tagOf(log.fingerprint));
  console.log(`${describeCases(figures)}\n`);
  await writeFile(figure, drawTransitions(basename(log.file), figures.transitions));
  console.log(`The transition matrix is drawn in ${figure}`);
}

/** Runs with a progress bar, until it is done or Ctrl+C aborts the signal. */
async function withProgress<T>(run: (bar: ProgressBar, signal: AbortSignal) => Promise<T>): Promise<T> {
  const bar = createProgressBar();
  const interruption = new AbortController();
  const interrupt = () => {
    interruption.abort();
  };
  process.once('SIGINT', interrupt);
  try {
    return await run(bar, interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
    bar.stop();
  }
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

/** In a line, where a person can correct the cause. */
function describeProblem(error: unknown): unknown {
  if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure) {
    return 'The import was cancelled.';
  }
  if (error instanceof DOMException && error.name === 'AbortError') {
    return 'The projection was interrupted. The next run goes on where it stopped.';
  }
  if (isEventStoreError(error) || error instanceof OptionError) return error.message;
  return findEventLogProblem(error) ?? error;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(describeProblem(error));
  process.exitCode = 1;
}
