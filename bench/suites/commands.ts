import { Connection } from '@temporalio/client';
import { startTemporalServer } from '../../dev/temporal-server.js';
import { withWorkflowBundle } from '../commands/bundle.js';
import { workflowPerCommand } from '../commands/contenders.js';
import { measureCommands, type MeasuredCommands } from '../commands/measure.js';
import {
  notMeasured,
  processWorkloads,
  quickProcessWorkloads,
  quickWorkloads,
  workloads,
  type CommandWorkload,
} from '../commands/workloads.js';
import { ratioOf } from '../rounds.js';
import type { Bench, Row, Suite } from './suite.js';

/** Durable commands: a workflow for each, an update for each, and lanes, which take together those that wait. */
export const commands: Suite = {
  name: 'commands',
  async run(bench) {
    const { settings } = bench;
    const { serverVersion, measured } = await measureAll(
      bench,
      settings.isQuick ? quickWorkloads : workloads,
    );
    return {
      title: `Durable commands, by Temporal’s server ${serverVersion}`,
      rows: compare(measured.map(({ row }) => row)),
      notes: [
        `Commands that were answered in a window of ${settings.window} s, once every caller had had an answer, to the best rate of a workflow per command; p50 and p99 in ms.`,
        ...measured.flatMap(toErrorNote),
        `Not measured: ${notMeasured.join('; ')}.`,
      ],
    };
  },
};

/** Durable commands from many processes, whose updates a lane has to take one by one. */
export const processes: Suite = {
  name: 'processes',
  async run(bench) {
    const { settings } = bench;
    const { serverVersion, measured } = await measureAll(
      bench,
      settings.isQuick ? quickProcessWorkloads : processWorkloads,
    );
    const rows = measured.map(({ row }) => row);
    return {
      title: `Durable commands from many processes, by Temporal’s server ${serverVersion}`,
      rows: rows.map((row) => {
        const base = rows.find(({ workload }) => workload === baselineOf(row.workload));
        return base === undefined
          ? row
          : { ...row, ratios: { '× 5 processes': ratioOf(row.values, base.values) } };
      }),
      notes: [
        `Each process has a connection and a client of its own, with two callers, in the process of the benchmark. Commands that were answered in a window of ${settings.window} s.`,
        ...measured.flatMap(toErrorNote),
      ],
    };
  },
};

/** The same of five processes. */
function baselineOf(workload: string): string {
  return workload.replace(/^\d+ callers of \d+ processes|^\d+ callers/, '10 callers of 5 processes');
}

async function measureAll(
  { serverUrl, settings, progress }: Bench,
  all: readonly CommandWorkload[],
): Promise<{ readonly serverVersion: string; readonly measured: readonly MeasuredCommands[] }> {
  const temporal = await startTemporalServer();
  try {
    const connection = await Connection.connect({ address: temporal.address });
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.close();
    const measured: MeasuredCommands[] = [];
    await withWorkflowBundle(async (codePath) => {
      for (const workload of all) {
        for (const contender of workload.contenders) {
          const servers = { serverUrl, temporal, codePath };
          const result = await measureCommands(servers, workload, contender, settings.window);
          progress(`commands: ${describe(result.row)}`);
          measured.push(result);
        }
      }
    });
    return { serverVersion: serverVersion ?? '', measured };
  } finally {
    await temporal.stop();
  }
}

/** The row of those of a workflow per command that is best by a measure: what lanes are compared with. */
export function bestWorkflowPerCommand(
  rows: readonly Row[],
  by: (row: Row) => number | undefined,
): Row | undefined {
  const baselines = rows.filter(({ contender }) => contender === workflowPerCommand.name);
  return baselines.sort((a, b) => (by(b) ?? -Infinity) - (by(a) ?? -Infinity))[0];
}

function compare(rows: readonly Row[]): Row[] {
  const best = bestWorkflowPerCommand(rows, ({ values }) => values[0]);
  if (best === undefined) return [...rows];
  return rows.map((row) => ({ ...row, ratios: { [heading]: ratioOf(row.values, best.values) } }));
}

const heading = `× ${workflowPerCommand.name}`;

/** What was thrown most. */
function toErrorNote({ row, errors }: MeasuredCommands): string[] {
  const [most] = [...errors].sort(([, a], [, b]) => b - a);
  if (most === undefined) return [];
  const [message, count] = most;
  return [`${row.contender}, ${row.workload}: ${count.toLocaleString('en')} times “${message}”.`];
}

function describe({ workload, contender, values, latency }: Row): string {
  const rate = Math.round(values[0] ?? 0).toLocaleString('en');
  const times =
    latency === undefined ? '' : `, p50 ${Math.round(latency.p50)} ms, p99 ${Math.round(latency.p99)} ms`;
  return `${workload}: ${contender} ${rate}/s${times}`;
}
