import { median, ratiosOf } from '../rounds.js';
import { workloadName } from '../suites/append.js';
import { catchUpWorkload } from '../suites/catch-up.js';
import { emptyStore, largeStore } from '../suites/growth.js';
import { streamOf } from '../suites/load.js';
import type { Row, SuiteReport } from '../suites/suite.js';
import { table, withSpread } from './markdown.js';
import { formatRatio } from './number.js';

/** Results by the name of the suite. */
export type Results = Readonly<Record<string, SuiteReport>>;

/** What the library wants to reach: ratios within one run, never absolute times. */
interface Target {
  readonly name: string;
  readonly of: (results: Results) => readonly number[] | undefined;
  readonly isLimit?: true;
  readonly gate: number;
  readonly stretch: number;
}

const targets: readonly Target[] = [
  {
    name: 'append p50, 1 client, to raw INSERT',
    of: ours('append', workloadName(1, 1), 'raw'),
    isLimit: true,
    gate: 1.3,
    stretch: 1.1,
  },
  throughput(16, 1, 'raw', 1.4, 1.9),
  throughput(64, 1, 'raw', 2.4, 2.8),
  throughput(16, 10, 'raw', 0.9, 1.1),
  throughput(64, 10, 'raw', 1.05, 1.3),
  {
    name: 'append, 1 client, to Emmett',
    of: (results) => ours('append', workloadName(1, 1), 'emmett')(results)?.map((ratio) => 1 / ratio),
    gate: 1.8,
    stretch: 2.2,
  },
  throughput(16, 1, 'emmett', 4, 6),
  throughput(64, 1, 'emmett', 6, 10),
  { name: 'load of 1,000, to pg', of: ours('load', streamOf(1000), 'pg'), gate: 1.5, stretch: 2.2 },
  { name: 'load of 10,000, to pg', of: ours('load', streamOf(10_000), 'pg'), gate: 2, stretch: 2.6 },
  { name: 'catch-up, to pg', of: ours('catch-up', catchUpWorkload, 'pg'), gate: 1.8, stretch: 2.5 },
  { name: 'catch-up, to COPY', of: ours('catch-up', catchUpWorkload, 'copy'), gate: 0.45, stretch: 0.6 },
  {
    name: 'append to a large store, to an empty one',
    of: (results) => ratio(find(results, 'growth', largeStore), find(results, 'growth', emptyStore)),
    gate: 0.85,
    stretch: 0.95,
  },
];

/** Says of each target whether it was reached; nothing where its suite didn't run. */
export function toGates(results: Results): string {
  const lines = targets.flatMap(({ name, of, isLimit, gate, stretch }) => {
    const values = of(results);
    if (values === undefined) return [];
    const measured = median(values);
    const isReached = (limit: number) => (isLimit ? measured <= limit : measured >= limit);
    const verdict = isReached(stretch) ? 'stretch' : isReached(gate) ? 'gate' : 'missed';
    const sign = isLimit ? '≤' : '≥';
    return [[name, `${sign} ${formatRatio(gate)}`, withSpread(values), formatRatio(stretch), verdict]];
  });
  const faults = countFaults(results);
  if (faults !== undefined) {
    lines.push([
      'lost, duplicated, accepted wrongly, deadlocked, never seen',
      '0',
      String(faults),
      '0',
      faults === 0 ? 'gate' : 'missed',
    ]);
  }
  if (lines.length === 0) return '';
  return `## Targets\n\n${table(['target', 'gate', 'measured (min–max)', 'stretch', 'reached'], lines)}`;
}

function throughput(
  clients: number,
  events: number,
  contender: string,
  gate: number,
  stretch: number,
): Target {
  const workload = workloadName(clients, events);
  return {
    name: `append, ${workload}, to ${contender}`,
    of: ours('append', workload, contender),
    gate,
    stretch,
  };
}

function ours(suite: string, workload: string, baseline: string): Target['of'] {
  return (results) => ratio(find(results, suite, workload), find(results, suite, workload, baseline));
}

function find(results: Results, suite: string, workload: string, contender = 'ours'): Row | undefined {
  return results[suite]?.rows.find((row) => row.workload === workload && row.contender === contender);
}

function ratio(row: Row | undefined, baseline: Row | undefined): number[] | undefined {
  return row === undefined || baseline === undefined ? undefined : ratiosOf(row.values, baseline.values);
}

function countFaults(results: Results): number | undefined {
  const rows = Object.values(results).flatMap((report) =>
    report.rows.filter(({ contender, counts }) => contender === 'ours' && counts !== undefined),
  );
  if (rows.length === 0) return undefined;
  const faults = ['lost', 'duplicated', 'acceptedWrongly', 'deadlocks', 'never seen', 'seen twice'];
  return rows.reduce((sum, { counts }) => {
    return faults.reduce((subtotal, fault) => subtotal + (counts?.[fault] ?? 0), sum);
  }, 0);
}
