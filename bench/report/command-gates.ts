import type { CommandContender } from '../commands/contender.js';
import { fourLanes, lanePerAggregate, oneLane } from '../commands/contenders.js';
import { commandWorkload, type Aggregates } from '../commands/workloads.js';
import { ratioOf } from '../rounds.js';
import { bestWorkflowPerCommand, commands } from '../suites/commands.js';
import type { Row } from '../suites/suite.js';
import type { Gate } from './gates.js';

type Measure = (row: Row) => number | undefined;

const rate: Measure = ({ values }) => values[0];
const p50: Measure = ({ latency }) => latency?.p50;
const p99InSeconds: Measure = ({ latency }) => latency && latency.p99 / 1000;

/** Against a workflow per command, with as many callers as it is best with. */
export const commandGates: readonly Gate[] = [
  {
    name: 'command p50, 1 caller',
    of: toBest(1, 1, lanePerAggregate, p50, 'least'),
    isLimit: true,
    gate: 0.15,
  },
  {
    name: 'commands, 64 callers, one aggregate',
    of: toBest(64, 1, lanePerAggregate, rate, 'most'),
    gate: 30,
  },
  {
    name: 'commands, 64 callers, 64 aggregates, 4 lanes',
    of: toBest(64, 64, fourLanes, rate, 'most'),
    gate: 8,
  },
  {
    name: 'commands, 64 callers, 64 aggregates, 1 lane',
    of: toBest(64, 64, oneLane, rate, 'most'),
    gate: 20,
  },
  {
    name: 'seconds of p99, 64 callers, one aggregate',
    of: absolute(64, 1, lanePerAggregate, p99InSeconds),
    isLimit: true,
    gate: 0.3,
  },
  {
    name: 'commands a second, 256 callers, one aggregate',
    of: absolute(256, 1, lanePerAggregate, rate),
    stretch: 2500,
  },
];

function toBest(
  callers: number,
  aggregates: Aggregates,
  contender: CommandContender,
  measure: Measure,
  best: 'least' | 'most',
): Gate['of'] {
  return (results) => {
    const rows = results[commands.name]?.rows ?? [];
    const sign = best === 'least' ? -1 : 1;
    const baseline = bestWorkflowPerCommand(rows, (row) => {
      const value = measure(row);
      return value === undefined ? undefined : sign * value;
    });
    const value = valueOf(rows, callers, aggregates, contender, measure);
    const to = baseline && measure(baseline);
    return value === undefined || to === undefined ? undefined : ratioOf([value], [to]);
  };
}

function absolute(
  callers: number,
  aggregates: Aggregates,
  contender: CommandContender,
  measure: Measure,
): Gate['of'] {
  return (results) => {
    const value = valueOf(results[commands.name]?.rows ?? [], callers, aggregates, contender, measure);
    return value === undefined ? undefined : ratioOf([value], [1]);
  };
}

function valueOf(
  rows: readonly Row[],
  callers: number,
  aggregates: Aggregates,
  { name }: CommandContender,
  measure: Measure,
): number | undefined {
  const workload = commandWorkload(callers, aggregates);
  const row = rows.find((it) => it.workload === workload && it.contender === name);
  return row && measure(row);
}
