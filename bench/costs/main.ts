import { writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { freePort } from '../../dev/free-port.js';
import { findTemporalCli } from '../../dev/temporal-server/find-cli.js';
import { runTemporalCli } from '../../dev/temporal-server/run-cli.js';
import { account } from '../commands/account.js';
import { withWorkflowBundle } from '../commands/bundle.js';
import { EventStorePlugin, MemoryEventStore } from '../library.js';
import { table } from '../report/markdown.js';
import { difference, readActions, total, type Actions } from './actions.js';
import { projections, scenarios } from './scenarios.js';

// What Temporal Cloud would bill, as the server itself counts it: for the table in docs/guide/operating.md. 15 minutes.

const namespace = 'default';
const taskQueue = 'costs';
const say = (line: string): void => void process.stderr.write(`${line}\n`);

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
const cli = await findTemporalCli(say);
const metricsPort = await freePort();
const server = await runTemporalCli(cli.path, namespace, { metricsPort });
try {
  const rows = await withWorkflowBundle(measureAll);
  const text = table(['what', 'actions', 'for', 'of which'], rows);
  console.log(text);
  await writeFile(new URL('../results/costs.md', import.meta.url), `# Costs\n\n${text}\n`);
} finally {
  await server.stop();
}

async function measureAll(codePath: string): Promise<readonly (readonly string[])[]> {
  const store = new MemoryEventStore();
  const native = await NativeConnection.connect({ address: server.address });
  const connection = await Connection.connect({ address: server.address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: { codePath },
    plugins: [new EventStorePlugin({ store, aggregates: [account], projections })],
  });
  const client = new Client({ connection, namespace });
  const measure = async (): Promise<string[][]> => {
    const rows: string[][] = [];
    for (const { name, unit, factor, prepare, run } of scenarios) {
      await prepare?.({ client, taskQueue, store });
      const before = await readActions(metricsPort, namespace);
      await run({ client, taskQueue, store });
      const actions = difference(before, await readActions(metricsPort, namespace));
      rows.push([name, format(total(actions) * factor), unit, describe(actions, factor)]);
      say(rows.at(-1)!.join(' · '));
    }
    return rows;
  };
  try {
    return await worker.runUntil(measure());
  } finally {
    await connection.close();
    await native.close();
  }
}

function describe(actions: Actions, factor: number): string {
  return [...actions]
    .toSorted(([, one], [, other]) => other - one)
    .map(([kind, count]) => `${format(count * factor)} ${kind.replace(/^(grpc|command)_/, '')}`)
    .join(', ');
}

function format(count: number): string {
  return count >= 10 ? Math.round(count).toLocaleString('en') : String(Number(count.toPrecision(2)));
}
