import {
  fourLanes,
  lanePerAggregate,
  oneLane,
  sixteenLanes,
  updatePerCommand,
} from '../commands/contenders.js';
import { commandWorkload } from '../commands/workloads.js';
import { ratioOf } from '../rounds.js';
import { bestWorkflowPerCommand } from '../suites/commands.js';
import type { Row } from '../suites/suite.js';
import type { BarChart } from './bar-chart.js';

const workloads = [
  [64, 1],
  [256, 1],
  [64, 64],
  [256, 64],
  [256, 10_000],
] as const;

/** In the order of the bars. */
const contenders = [updatePerCommand, lanePerAggregate, sixteenLanes, fourLanes, oneLane];

/** The suite of commands. */
export function toCommandChart(rows: readonly Row[]): BarChart {
  const best = bestWorkflowPerCommand(rows, ({ values }) => values[0]);
  const groups = workloads.map(([callers, aggregates]) => {
    const workload = commandWorkload(callers, aggregates);
    const bars = contenders.map(({ name }) => {
      const row = rows.find((it) => it.workload === workload && it.contender === name);
      return row && best && ratioOf(row.values, best.values);
    });
    return { label: workload.replace(', ', '\n'), bars };
  });
  return {
    title: 'Durable commands a second, against a workflow for each',
    subtitle: 'Best rate of a workflow per command, with new aggregates = 1.0; one aggregate has one lane',
    series: contenders.map(({ name }) => name),
    groups,
  };
}
