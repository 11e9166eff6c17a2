import { mkdir, writeFile } from 'node:fs/promises';
import { median, ratiosOf } from '../rounds.js';
import { workloadName } from '../suites/append.js';
import type { Row } from '../suites/suite.js';
import { drawBars, type Bar } from './bar-chart.js';
import { toLine } from './machine.js';
import type { SavedReport, SavedResults } from './results.js';

const file = new URL('../../docs/figures/append-throughput.svg', import.meta.url);

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

/** Draws the append suite for the README. Does nothing when there is no result of it. */
export async function writeFigure({ append }: SavedResults): Promise<void> {
  if (append === undefined) return;
  await mkdir(new URL('./', file), { recursive: true });
  await writeFile(file, toFigure(append));
}

function toFigure(report: SavedReport): string {
  const groups = workloads.map(([clients, events]) => {
    const workload = workloadName(clients, events);
    const rows = report.rows.filter((row) => row.workload === workload);
    const raw = rows.find(({ contender }) => contender === 'raw');
    return {
      label: workload,
      bars: series.map(({ contender }) =>
        toBar(
          rows.find((row) => row.contender === contender),
          raw,
        ),
      ),
    };
  });
  return drawBars({
    title: 'Appends, against one unchecked INSERT for each',
    subtitle:
      'Rate of a raw INSERT into the same table = 1.0; bars are medians, lines the spread of the rounds',
    series: series.map(({ name }) => name),
    groups,
    footer: `${report.date.slice(0, 10)} · ${toLine(report.machine)} · ${report.command}`,
  });
}

function toBar(row: Row | undefined, raw: Row | undefined): Bar | undefined {
  if (row === undefined || raw === undefined) return undefined;
  // Times are turned around, so that more is better in the whole figure.
  const ratios = row.unit === 'ms' ? ratiosOf(raw.values, row.values) : ratiosOf(row.values, raw.values);
  return { value: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
