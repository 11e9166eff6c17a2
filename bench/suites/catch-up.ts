import type { Able, Contender } from '../contenders/contender.js';
import { withDatabases } from '../databases.js';
import { alternate } from '../rounds.js';
import { readStart, readStore, storedRefs } from '../workload/reading.js';
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

export const catchUpWorkload = 'pages of 1,000';

/** The whole store from its start. */
export const catchUp: Suite = { name: 'catch-up', run };

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  const subjects = thatCan(contenders, 'catchUp');
  const maxSeconds = settings.seconds * 5;
  return withDatabases(serverUrl, subjects, async (databases) => {
    progress('catch-up: fill');
    const rows = rowsSql({ count: settings.events, perStream: 20 });
    const sessions = await openFilled(subjects, databases, rows, 'catchUp');
    const stored = new Map<Contender, readonly number[]>();
    for (const contender of subjects) {
      const sql = `${contender.storedSql} order by ref`;
      stored.set(contender, await storedRefs(databases.urlOf(contender), sql));
    }
    progress('catch-up: read');
    return {
      title: `Catch-up of ${settings.events.toLocaleString('en')} events`,
      rows: await measureCatchUp(catchUpWorkload, sessions, stored, settings.rounds, maxSeconds),
      notes: [
        `\`copy\` reads all in one go and not in pages. Who takes longer is stopped after ${maxSeconds} s.`,
      ],
    };
  });
}

/** Closes the sessions. */
export async function measureCatchUp(
  workload: string,
  sessions: ReadonlyMap<Contender, Able<'catchUp'>>,
  stored: ReadonlyMap<Contender, readonly number[]>,
  rounds: number,
  maxSeconds: number,
): Promise<Row[]> {
  await assertSameAnswers(sessions, (session) => readStart(session, 1000));
  const faults = new Map<Contender, Counts>();
  const values = await alternate([...sessions.keys()], rounds, async (contender) => {
    const reading = await readStore(sessions.get(contender)!, stored.get(contender)!, maxSeconds);
    addCounts(faults, contender, reading.faults);
    return reading.eventsPerSecond;
  });
  await closeAll(sessions);
  return compare(toRows(workload, 'events/s', values, faults), ['pg', 'copy']);
}
