import { mkdir, writeFile } from 'node:fs/promises';
import type { Row } from '../suites/suite.js';
import { toAppendChart } from './append-chart.js';
import { drawBars, type BarChart } from './bar-chart.js';
import { toCommandChart } from './command-chart.js';
import { toLine } from './machine.js';
import type { RunReport } from './results.js';

interface Figure {
  readonly file: string;
  readonly suite: string;
  readonly toChart: (rows: readonly Row[]) => BarChart;
}

const folder = new URL('../../docs/figures/', import.meta.url);

/** For the README. */
const figures: readonly Figure[] = [
  { file: 'append-throughput.svg', suite: 'append', toChart: toAppendChart },
  { file: 'command-throughput.svg', suite: 'commands', toChart: toCommandChart },
];

/** Draws those whose suites ran. */
export async function writeFigures({ suites, date, machine, command }: RunReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  const footer = `${date.slice(0, 10)} · ${toLine(machine)} · ${command}`;
  for (const { file, suite, toChart } of figures) {
    const result = suites[suite];
    if (result !== undefined) await writeFile(new URL(file, folder), drawBars(toChart(result.rows), footer));
  }
}
