import { ratioOf, type Ratio } from '../rounds.js';
import { workloadName } from '../suites/append.js';
import type { Row } from '../suites/suite.js';
import type { BarChart } from './bar-chart.js';

const workloads = [
  [1, 1],
  [16, 1],
  [64, 1],
  [16, 10],
  [64, 10],
] as const;

/** In the order of the bars. */
const series = [
  { contender: 'ours', name: 'temporal-event-store' },
  { contender: 'castore', name: 'Castore' },
  { contender: 'emmett', name: 'Emmett' },
  { contender: 'message-db', name: 'message-db' },
];

/** The append suite. */
export function toAppendChart(rows: readonly Row[]): BarChart {
  const groups = workloads.map(([clients, events]) => {
    const workload = workloadName(clients, events);
    const find = (name: string) => rows.find((row) => row.workload === workload && row.contender === name);
    return { label: workload, bars: series.map(({ contender }) => toBar(find(contender), find('raw'))) };
  });
  return {
    title: 'Appends, against one unchecked INSERT for each',
    subtitle:
      'Rate of a raw INSERT into the same table = 1.0; bars are ratios of medians, lines the spread of the rounds',
    series: series.map(({ name }) => name),
    groups,
  };
}

function toBar(row: Row | undefined, raw: Row | undefined): Ratio | undefined {
  if (row === undefined || raw === undefined) return undefined;
  // Times are turned around, so that more is better in the whole figure.
  return row.unit === 'ms' ? ratioOf(raw.values, row.values) : ratioOf(row.values, raw.values);
}
