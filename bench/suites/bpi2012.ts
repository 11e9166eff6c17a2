import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../audit.js';
import { open, type Able, type Append, type Contender } from '../contenders/contender.js';
import { runSql } from '../contenders/pg-pool.js';
import { withDatabases } from '../databases.js';
import { alternate, time } from '../rounds.js';
import { readEventLog } from '../workload/event-log.js';
import { Ledger } from '../workload/ledger.js';
import { storedRefs } from '../workload/reading.js';
import { measureCatchUp } from './catch-up.js';
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

const fileName = 'bpic2012.xes.gz';
const appendsInFlight = 16;

/** A real log, loan applications of a Dutch bank: one append for each case. */
export const bpi2012: Suite = { name: 'bpi2012', run };

async function run(bench: Bench): Promise<SuiteReport> {
  const title = 'BPI Challenge 2012';
  const folder = process.env['EVENT_LOG_DIR'];
  const file = folder === undefined ? undefined : join(folder, fileName);
  if (file === undefined || !existsSync(file)) {
    return { title, rows: [], notes: [`Skipped: EVENT_LOG_DIR names no folder with ${fileName}.`] };
  }
  bench.progress(`bpi2012: read ${fileName}`);
  const appends = await readEventLog(file, bench.settings.size);
  const events = appends.reduce((sum, append) => sum + append.events.length, 0);
  const format = (count: number) => count.toLocaleString('en');
  return {
    title: `${title}: ${format(events)} events of ${format(appends.length)} cases`,
    rows: [...(await measureImports(bench, appends)), ...(await measureReads(bench, appends))],
    notes: [`An import that takes longer is measured for ${maxSeconds(bench).toFixed(1)} s.`],
  };
}

function maxSeconds({ settings }: Bench): number {
  return settings.seconds * 3;
}

async function measureImports(bench: Bench, appends: readonly Append[]): Promise<Row[]> {
  const subjects = thatCan(bench.contenders, 'append');
  bench.progress('bpi2012: import');
  const faults = new Map<Contender, Counts>();
  const values = await alternate(
    subjects,
    bench.settings.rounds,
    (contender) =>
      withDatabases(bench.serverUrl, [contender], async ({ urlOf }) => {
        const ledger = new Ledger();
        const session = await open(contender, urlOf(contender), 'append');
        const seconds = await time(() => importLog(session, appends, ledger, maxSeconds(bench)));
        await session.close();
        addCounts(faults, contender, await audit(contender, urlOf(contender), ledger));
        return ledger.refs.length / seconds;
      }),
    // Each import starts in an empty database, so that there is nothing to warm up but the code.
    () => Promise.resolve(),
  );
  const rows = toRows(`import, ${appendsInFlight} in flight`, 'events/s', values, faults);
  return compare(rows, ['raw']);
}

/** Stops when the time is over. */
async function importLog(
  session: Able<'append'>,
  appends: readonly Append[],
  ledger: Ledger,
  seconds: number,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const waiting = appends.values();
  const lane = async () => {
    while (performance.now() < end) {
      const next = waiting.next();
      if (next.done) return;
      await session.append(next.value);
      ledger.acknowledge(next.value);
    }
  };
  await Promise.all(Array.from({ length: appendsInFlight }, lane));
}

/** The readers of one database, into which the whole log has been imported. */
async function measureReads(bench: Bench, appends: readonly Append[]): Promise<Row[]> {
  const readers = thatCan(bench.contenders, 'catchUp').filter(({ database }) => database === 'ours');
  const importer = readers.find(({ can }) => can.includes('append'));
  if (importer === undefined) return [];
  return withDatabases(bench.serverUrl, readers, async ({ urlOf }) => {
    const url = urlOf(importer);
    const session = await open(importer, url, 'append', 'statistics', 'trends');
    await importLog(session, appends, new Ledger(), Infinity);
    await runSql(url, ['vacuum analyze']);
    bench.progress('bpi2012: catch-up');
    // Imports ran side by side, so that the order of the log is not the order of the positions.
    const stored = await storedRefs(url, `${importer.storedSql} order by position`);
    const sessions = new Map<Contender, Able<'catchUp'>>();
    for (const reader of readers) sessions.set(reader, await open(reader, url, 'catchUp'));
    const storedOf = new Map(readers.map((reader) => [reader, stored]));
    const rows = [
      ...(await measureCatchUp('catch-up', sessions, storedOf, bench.settings.rounds, Infinity)),
      ...(await measureSummaries(bench, session, importer.name, appends)),
    ];
    await session.close();
    return rows;
  });
}

async function measureSummaries(
  bench: Bench,
  session: Able<'statistics' | 'trends'>,
  contender: string,
  appends: readonly Append[],
): Promise<Row[]> {
  bench.progress('bpi2012: statistics and trends');
  const events = appends.reduce((sum, append) => sum + append.events.length, 0);
  const rows: Row[] = [];
  for (const name of ['statistics', 'trends'] as const) {
    const values = await alternate([contender], bench.settings.rounds, async () => {
      let total = 0;
      const seconds = await time(async () => {
        total = await session[name]();
      });
      if (total !== events) throw new Error(`The ${name} count ${total} of ${events} events.`);
      return seconds * 1000;
    });
    rows.push({ workload: name, contender, unit: 'ms', values: values.get(contender)! });
  }
  return rows;
}
