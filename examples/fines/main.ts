import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { isEventStoreError } from 'temporal-event-store';
import { tagOf } from '../event-log/case-event.js';
import { findEventLogProblem } from '../event-log/event-log-error.js';
import { fingerprintOf } from '../event-log/log-reader.js';
import { createProgressBar } from '../event-log/progress.js';
import { openStore, type OpenStore } from '../open-store.js';
import { packageFolder } from '../package-folder.js';
import { installRuntime } from '../runtime.js';
import { startTemporalServer } from '../temporal-server.js';
import type { FineLog } from './activities.js';
import { importFineLog } from './import-fines.js';
import { OptionError, readOptions, type Options } from './options.js';
import { describeIrregularities, formatTotals } from './report.js';
import { createFineWorker } from './worker.js';
import type { fineTotals } from './workflows.js';

/** In the folder of the examples, so that an import which was interrupted is found by the next one. */
const dataDir = process.env['FINES_STORE'] ?? fileURLToPath(new URL('.store/fines', packageFolder));

async function main(options: Options): Promise<void> {
  if (options.file === undefined) console.log('No log given, so here is the one of a small town.');
  const file =
    options.file === undefined
      ? fileURLToPath(new URL('fines/sample-fines.csv', packageFolder))
      : // Where npm was called; it runs scripts in the folder of the package.
        resolve(process.env['INIT_CWD'] ?? '.', options.file);
  const { limit } = options;
  const log = { file, fingerprint: await fingerprintOf(file), ...(limit !== undefined && { limit }) };

  const { store, place, close } = await openStore({ schema: 'fines_example', dataDir });
  try {
    console.log(`The event store is ${place}.`);
    await importAndShow(log, store);
  } finally {
    await close();
  }
}

async function importAndShow(log: FineLog, store: OpenStore['store']): Promise<void> {
  const { storeId } = await store.readAll({ limit: 1 });
  // No worker with another store may take these tasks.
  const taskQueue = `fines-${storeId}`;
  // A failed import is told below, in one line.
  installRuntime();
  const server = await startTemporalServer();
  const { address, namespace } = server;
  const connection = await Connection.connect({ address });
  const workerConnection = await NativeConnection.connect({ address });
  try {
    const client = new Client({ connection, namespace });
    const worker = await createFineWorker({ connection: workerConnection, namespace, taskQueue, store });
    await worker.runUntil(async () => {
      await importWithProgress(client, log, taskQueue);
      const tag = tagOf(log.fingerprint);
      const totals = await client.workflow.execute<typeof fineTotals>('fineTotals', {
        workflowId: `fine-totals/${crypto.randomUUID()}`,
        taskQueue,
        args: [{ tag }],
      });
      console.log(`\nFines and payments\n${formatTotals(totals)}\n`);
      console.log(await describeIrregularities(store, tag));
    });
  } finally {
    await connection.close();
    await workerConnection.close();
    await server.stop();
  }
}

async function importWithProgress(client: Client, log: FineLog, taskQueue: string): Promise<void> {
  console.log(`Importing ${log.file}`);
  const started = performance.now();
  const bar = createProgressBar();
  const { lines, stored } = await importFineLog(client, { log, taskQueue, onProgress: bar.update }).finally(
    bar.stop,
  );
  const seconds = (performance.now() - started) / 1_000;
  const count = (value: number) => value.toLocaleString('en');
  console.log(
    `${count(lines)} commands, ${count(Math.max(0, lines - stored))} of them new, in ${seconds.toFixed(1)} s` +
      ` (${count(Math.round(lines / seconds))} commands/s with the check before)`,
  );
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  const isExplained = isEventStoreError(error) || error instanceof OptionError;
  console.error(isExplained ? error.message : (findEventLogProblem(error) ?? error));
  process.exitCode = 1;
}
