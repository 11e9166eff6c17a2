import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { TemporalServer } from '../../dev/temporal-server.js';
import { audit } from '../audit.js';
import { ours } from '../contenders/ours.js';
import { withDatabases } from '../databases.js';
import { percentile } from '../rounds.js';
import type { Row } from '../suites/suite.js';
import { withWorker } from '../worker.js';
import { createEventSource } from '../workload/events.js';
import { Ledger } from '../workload/ledger.js';
import { runCallers } from './callers.js';
import type { CommandContender } from './contender.js';
import { commandWorkload, type CommandWorkload } from './workloads.js';

const workerFile = new URL('./worker-process.ts', import.meta.url);

export interface CommandServers {
  /** Of PostgreSQL. */
  readonly serverUrl: string;
  readonly temporal: TemporalServer;
  readonly client: Client;
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
  { serverUrl, temporal, client, codePath }: CommandServers,
  { callers, aggregates }: CommandWorkload,
  contender: CommandContender,
  window: number,
): Promise<MeasuredCommands> {
  const { address, namespace } = temporal;
  return withDatabases(serverUrl, [ours], async ({ urlOf }) => {
    const storeUrl = urlOf(ours);
    const taskQueue = `bench-${randomUUID()}`;
    const ledger = new Ledger();
    const place = { address, namespace, taskQueue, storeUrl, codePath };
    const result = await withWorker(workerFile, place, async () => {
      const session = contender.open(client, taskQueue);
      const load = { callers, aggregates, window };
      const result = await runCallers(session, createEventSource(), ledger, load);
      await session.close();
      return result;
    });
    const { commandsPerSecond, latencies, errors, unanswered } = result;
    const row: Row = {
      workload: commandWorkload(callers, aggregates),
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
        ...(await audit(ours, storeUrl, ledger)),
      },
    };
    return { row, errors };
  });
}
