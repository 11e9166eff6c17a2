import type { Able, Contender } from '../contenders/contender.js';
import { raw } from '../contenders/raw.js';
import { withDatabases } from '../databases.js';
import { alternate } from '../rounds.js';
import { countFaults } from '../workload/reading.js';
import { rowsSql } from '../workload/rows.js';
import { assertSameAnswers, closeAll, openFilled } from '../workload/sessions.js';
import {
  addCounts,
  compare,
  thatCan,
  toRows,
  type Bench,
  type Counts,
  type Row,
  type Suite,
  type SuiteReport,
} from './suite.js';

const lengths = [10, 1000, 10_000];

/** Loads of one stream among many. */
export const load: Suite = { name: 'load', run };

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  // The raw baseline loads its table as pg does ours.
  const subjects = thatCan(contenders, 'load').filter(({ name }) => name !== raw.name);
  return withDatabases(serverUrl, subjects, async (databases) => {
    progress('load: fill');
    const sessions = await openFilled(subjects, databases, storeSql(Math.ceil(settings.events / 10)), 'load');
    await assertSameAnswers(sessions, (session) => session.load(idOf(1000), 0));

    const rows: Row[] = [];
    for (const length of lengths) {
      progress(`load: ${length} events`);
      const faults = new Map<Contender, Counts>();
      const values = await alternate(subjects, settings.rounds, async (contender) => {
        const loads = await measure(sessions.get(contender)!, length, settings.seconds / 2);
        addCounts(faults, contender, loads.faults);
        return loads.perSecond;
      });
      rows.push(...toRows(streamOf(length), 'loads/s', values, faults));
    }
    await closeAll(sessions);
    return { title: 'Load of one stream', rows: compare(rows, ['pg']) };
  });
}

export function streamOf(length: number): string {
  return `${length.toLocaleString('en')} events`;
}

function idOf(length: number): string {
  return `account-l${length}-0`;
}

/** Where the refs of a stream start. */
function firstRefOf(length: number): number {
  return 1 + lengths.filter((other) => other < length).reduce((sum, other) => sum + other, 0);
}

/** Streams of the lengths that are loaded, and others around them. */
function storeSql(others: number): string {
  const parts = lengths.map((count) =>
    rowsSql({ count, after: firstRefOf(count) - 1, perStream: count, prefix: `account-l${count}-` }),
  );
  const after = firstRefOf(Infinity) - 1;
  parts.push(rowsSql({ count: others, after, perStream: 20, prefix: 'account-o' }));
  return parts.map((sql) => `(${sql})`).join(' union all ');
}

/** Loads a stream over and over; the last answer is checked. */
async function measure(session: Able<'load'>, length: number, seconds: number) {
  const start = performance.now();
  for (let loads = 1; ; loads++) {
    const { version, events } = await session.load(idOf(length), 0);
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed < seconds && version === length && events.length === length) continue;
    const refs = Array.from({ length }, (_, index) => firstRefOf(length) + index);
    const read = events.map(({ data }) => data.ref);
    return { perSecond: loads / elapsed, faults: countFaults(read, refs) };
  }
}
