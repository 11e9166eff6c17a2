import { mkdir, writeFile } from 'node:fs/promises';
import type { Settings, SuiteReport } from '../suites/suite.js';
import type { Machine } from './machine.js';

/** The results of a run, by the name of the suite, with all that is needed to judge and to repeat them. */
export interface RunReport {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly suites: Record<string, SuiteReport>;
}

const folder = new URL('../results/', import.meta.url);

/** @param name of the files; all but `last-run` are for being committed */
export async function writeReport(name: string, report: RunReport, markdown: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // A line for the numbers of a row.
  const json = JSON.stringify(report, round, 2).replace(/\[[\d\s.,]+\]/g, (numbers) => {
    return numbers.replace(/\s+/g, ' ');
  });
  await writeFile(new URL(`${name}.json`, folder), `${json}\n`);
  await writeFile(new URL(`${name}.md`, folder), `${markdown}\n`);
}

/** Six digits that count: more is noise. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
