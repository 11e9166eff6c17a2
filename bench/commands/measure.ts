import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { TemporalServer } from '../../dev/temporal-server.js';
import { audit } from '../audit.js';
import { ours } from '../contenders/ours.js';
import { withDatabases } from '../databases.js';
import { percentile } from '../rounds.js';
import type { Row } from '../suites/suite.js';
import { withWorker } from '../worker.js';
import { createEventSource } from '../workload/events.js';
import { Ledger } from '../workload/ledger.js';
import { runCallers, type CommandResult } from './callers.js';
import type { CommandContender } from './contender.js';
import { commandWorkload, type CommandWorkload } from './workloads.js';

const workerFile = new URL('./worker-process.ts', import.meta.url);

export interface CommandServers {
  /** Of PostgreSQL. */
  readonly serverUrl: string;
  readonly temporal: TemporalServer;
  /** File with the bundled workflows. */
  readonly codePath: string;
}

export interface MeasuredCommands {
  readonly row: Row;
  /** How often each was thrown, by its message. */
  readonly errors: ReadonlyMap<string, number>;
}

/** Measures one contender, in an empty database and with a worker and a task queue of its own. */
export async function measureCommands(
  { serverUrl, temporal, codePath }: CommandServers,
  { callers, aggregates, processes = 1, workers = 1 }: CommandWorkload,
  contender: CommandContender,
  window: number,
): Promise<MeasuredCommands> {
  const { address, namespace } = temporal;
  return withDatabases(serverUrl, [ours], async ({ urlOf }) => {
    const storeUrl = urlOf(ours);
    const taskQueue = `bench-${randomUUID()}`;
    const ledger = new Ledger();
    const place = { address, namespace, taskQueue, storeUrl, codePath };
    const call = (): Promise<CommandResult> =>
      withClients({ address, namespace }, processes, async (clients) => {
        const sessions = clients.map((each) => contender.open(each, taskQueue));
        const load = { callers, aggregates, window };
        const result = await runCallers(sessions, createEventSource(), ledger, load);
        await Promise.all(sessions.map((session) => session.close()));
        return result;
      });
    const withWorkers = (count: number): Promise<CommandResult> =>
      count === 0 ? call() : withWorker(workerFile, place, () => withWorkers(count - 1));
    const result = await withWorkers(workers);
    const { commandsPerSecond, latencies, errors, unanswered, fewest } = result;
    const row: Row = {
      workload: commandWorkload(callers, aggregates, processes, workers),
      contender: contender.name,
      unit: 'commands/s',
      values: [commandsPerSecond],
      ...(latencies.length > 0 && {
        latency: { p50: percentile(latencies, 50), p99: percentile(latencies, 99) },
      }),
      counts: {
        answered: ledger.refs.length,
        errors: [...errors.values()].reduce((sum, count) => sum + count, 0),
        unanswered,
        ...(processes > 1 && { 'fewest of a process': fewest }),
        ...(await audit(ours, storeUrl, ledger)),
      },
    };
    return { row, errors };
  });
}

/** Each with a connection of its own, as each process has one. */
async function withClients<T>(
  { address, namespace }: Pick<TemporalServer, 'address' | 'namespace'>,
  count: number,
  run: (clients: readonly Client[]) => Promise<T>,
): Promise<T> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.connect({ address })));
  try {
    return await run(connections.map((connection) => new Client({ connection, namespace })));
  } finally {
    for (const connection of connections) await connection.close();
  }
}
