import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Settings, SuiteReport } from '../suites/suite.js';
import type { Machine } from './machine.js';

/** A suite's result with all that is needed to judge it and to repeat it. */
export interface SavedReport extends SuiteReport {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly settings: Settings;
}

export type SavedResults = Readonly<Record<string, SavedReport>>;

const folder = new URL('../results/', import.meta.url);
const latest = new URL('latest.json', folder);

/** The result of one suite, in a file that isn't committed. */
export async function writeReport(suite: string, report: SavedReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  await write(new URL(`${suite}.json`, folder), report);
}

/** Replaces the suites that ran in the file that is committed, and returns all of it. */
export async function saveResults(results: SavedResults): Promise<SavedResults> {
  const saved = { ...(await readLatest()), ...results };
  await write(latest, saved);
  return saved;
}

async function readLatest(): Promise<SavedResults> {
  try {
    return JSON.parse(await readFile(latest, 'utf8')) as SavedResults;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function write(file: URL, content: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, round, 2)}\n`);
}

/** Six digits that count: more is noise. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
