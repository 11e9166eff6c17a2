import type { StatementPer } from '../projections/read-model.js';
import { ratioOf, type Ratio } from '../rounds.js';
import { workloadName } from '../suites/append.js';
import { catchUpWorkload } from '../suites/catch-up.js';
import { commands } from '../suites/commands.js';
import {
  conditions,
  peerWorkload,
  plainWorkload,
  streamsWorkload,
  taggedWorkload,
  waysOfOurs,
} from '../suites/conditions.js';
import { emptyStore, largeStore } from '../suites/growth.js';
import { streamOf } from '../suites/load.js';
import { projectionWorkload } from '../suites/projections.js';
import type { Row, SuiteReport } from '../suites/suite.js';
import { commandGates } from './command-gates.js';
import { formatRatio, table, withSpread } from './markdown.js';

/** Results by the name of the suite. */
export type Results = Readonly<Record<string, SuiteReport>>;

/** What the library wants to reach: ratios of medians within one run, and absolute numbers only where the name says so. */
export interface Gate {
  readonly name: string;
  readonly of: (results: Results) => Ratio | undefined;
  readonly isLimit?: true;
  readonly gate?: number;
  readonly stretch?: number;
}

const oneClient = workloadName(1, 1);
const p50 = { isLimit: true, gate: 1.3, stretch: 1.1 } as const;

const gates: readonly Gate[] = [
  { name: `append p50, ${oneClient}, to raw INSERT`, of: ours('append', oneClient, 'raw'), ...p50 },
  append(16, 1, 'raw', 1.4, 1.9),
  append(64, 1, 'raw', 2.4, 2.8),
  append(16, 10, 'raw', 0.9, 1.1),
  append(64, 10, 'raw', 1.05, 1.3),
  {
    name: `append, ${oneClient}, to emmett`,
    // Of times, the ratio of the rates is the other way round.
    of: between(['append', oneClient, 'emmett'], ['append', oneClient, 'ours']),
    gate: 1.8,
    stretch: 2.2,
  },
  append(16, 1, 'emmett', 4, 6),
  append(64, 1, 'emmett', 6, 10),
  { name: 'load of 1,000, to pg', of: ours('load', streamOf(1000), 'pg'), gate: 1.5, stretch: 2.2 },
  { name: 'load of 10,000, to pg', of: ours('load', streamOf(10_000), 'pg'), gate: 2, stretch: 2.6 },
  { name: 'catch-up, to pg', of: ours('catch-up', catchUpWorkload, 'pg'), gate: 1.8, stretch: 2.5 },
  { name: 'catch-up, to COPY', of: ours('catch-up', catchUpWorkload, 'copy'), gate: 0.45, stretch: 0.6 },
  {
    name: 'append to a large store, to an empty one',
    of: between(['growth', largeStore, 'ours'], ['growth', emptyStore, 'ours']),
    gate: 0.85,
    stretch: 0.95,
  },
  condition(taggedWorkload('disjoint', 1), 'condition', 'plain', 0.6),
  condition(taggedWorkload('disjoint', 16), 'condition', 'plain', 0.85),
  condition(taggedWorkload('disjoint', 64), 'condition', 'plain', 0.7),
  condition(taggedWorkload('hot', 1), 'condition', 'plain', 0.55),
  condition(taggedWorkload('hot', 16), 'condition', 'plain', 0.7),
  condition(taggedWorkload('hot', 64), 'condition', 'plain', 0.45),
  ...[0, 2, 5].flatMap((tags) =>
    [1, 16, 64].map((callers) =>
      condition(plainWorkload(tags, callers), 'ours', 'before', tags === 0 ? 0.95 : 0.9),
    ),
  ),
  condition(streamsWorkload(16), 'one append', 'two appends', 1.2),
  condition(peerWorkload(16), 'ours', 'dcb-es', 4),
  condition(peerWorkload(64), 'ours', 'dcb-es', 4),
  ...commandGates,
  projection('event', 100, 'by hand', 0.8),
  projection('event', 1_000, 'by hand', 0.8),
  projection('page', 100, 'by hand', 0.8),
  projection('page', 1_000, 'by hand', 0.8),
  projection('event', 100, 'emmett', 5),
  projection('event', 1_000, 'emmett', 5),
  pagesToEmmett(100),
  pagesToEmmett(1_000),
];

/** Says of each gate whether it was passed; nothing where its suite didn't run. */
export function toGates(results: Results): string {
  const lines = gates.flatMap(({ name, of, isLimit, gate, stretch }) => {
    const measured = of(results);
    if (measured === undefined) return [];
    const cells = (limit: number | undefined) => {
      if (limit === undefined) return ['–', ''];
      const isPassed = isLimit ? measured.ofMedians <= limit : measured.ofMedians >= limit;
      return [`${isLimit ? '≤' : '≥'} ${formatRatio(limit)}`, isPassed ? 'pass' : 'miss'];
    };
    return [[name, withSpread(measured), ...cells(gate), ...cells(stretch)]];
  });
  const faults = countFaults(results);
  const verdict = faults === 0 ? 'pass' : 'miss';
  lines.push(['faults of ours', faults.toLocaleString('en'), '0', verdict, '0', verdict]);
  return `## Gates\n\n${table(['ratio of medians', 'measured (min–max)', 'gate', '', 'stretch', ''], lines)}`;
}

const faultNames = [
  'lost',
  'duplicated',
  'acceptedWrongly',
  'deadlocks',
  'misplaced',
  'foldedWrongly',
  'never seen',
  'seen twice',
];

const namesOfOurs = ['ours', 'pg', 'copy', ...waysOfOurs];

/** What must never happen, of our store, of those who read its table, and of all ways to it through Temporal. */
export function countFaults(results: Results): number {
  const rows = Object.entries(results).flatMap(([suite, { rows }]) =>
    rows.filter(({ contender }) => suite === commands.name || namesOfOurs.includes(contender)),
  );
  return rows
    .flatMap(({ counts = {} }) => faultNames.map((name) => counts[name] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

function append(clients: number, events: number, contender: string, gate: number, stretch: number): Gate {
  const workload = workloadName(clients, events);
  return {
    name: `append, ${workload}, to ${contender}`,
    of: ours('append', workload, contender),
    gate,
    stretch,
  };
}

function condition(workload: string, contender: string, baseline: string, gate: number): Gate {
  return {
    name: `${workload}: ${contender}, to ${baseline}`,
    of: between([conditions.name, workload, contender], [conditions.name, workload, baseline]),
    gate,
  };
}

function projection(statementPer: StatementPer, pageSize: number, contender: string, gate: number): Gate {
  const workload = projectionWorkload(statementPer, pageSize);
  return {
    name: `projection, ${workload}, to ${contender}`,
    of: ours('projections', workload, contender),
    gate,
  };
}

/** What each is best at: Emmett's projector gets one event at a time. */
function pagesToEmmett(pageSize: number): Gate {
  const workload = projectionWorkload('page', pageSize);
  return {
    name: `projection, ${workload}, to emmett with a statement an event`,
    of: between(
      ['projections', workload, 'ours'],
      ['projections', projectionWorkload('event', pageSize), 'emmett'],
    ),
    gate: 5,
  };
}

function ours(suite: string, workload: string, baseline: string): Gate['of'] {
  return between([suite, workload, 'ours'], [suite, workload, baseline]);
}

type RowName = readonly [suite: string, workload: string, contender: string];

function between(row: RowName, baseline: RowName): Gate['of'] {
  return (results) => {
    const [measured, to] = [find(results, row), find(results, baseline)];
    return measured && to && ratioOf(measured.values, to.values);
  };
}

function find(results: Results, [suite, workload, contender]: RowName): Row | undefined {
  return results[suite]?.rows.find((row) => row.workload === workload && row.contender === contender);
}
