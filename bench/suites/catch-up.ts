import { withDatabases } from '../databases.js';
import type { Contender } from '../contenders/contender.js';
import { alternate } from '../rounds.js';
import { addFaults, readStart, readStore, storedRefs, type ReadFaults } from '../workload/reading.js';
import { rowsSql } from '../workload/rows.js';
import { assertSameAnswers, closeAll, openFilled } from '../workload/sessions.js';
import { compare, thatCan, type Bench, type Suite, type SuiteReport } from './suite.js';

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
    await assertSameAnswers(sessions, (session) => readStart(session, 1000));
    const stored = new Map<Contender, readonly number[]>();
    for (const contender of subjects) {
      stored.set(
        contender,
        await storedRefs(databases.urlOf(contender), `${contender.storedSql} order by ref`),
      );
    }

    progress('catch-up: read');
    const unfinished = new Set<string>();
    const faults = new Map<Contender, ReadFaults>();
    const values = await alternate(subjects, settings.rounds, async (contender) => {
      const reading = await readStore(sessions.get(contender)!, stored.get(contender)!, maxSeconds);
      if (!reading.isWhole) unfinished.add(contender.name);
      faults.set(contender, addFaults(faults.get(contender), reading.faults));
      return reading.eventsPerSecond;
    });
    await closeAll(sessions);
    return {
      title: `Catch-up of ${settings.events.toLocaleString('en')} events`,
      rows: compare(
        subjects.map((contender) => ({
          workload: catchUpWorkload,
          contender: contender.name,
          unit: 'events/s',
          values: values.get(contender)!,
          counts: faults.get(contender)!,
        })),
        ['pg', 'copy'],
      ),
      notes: [
        '`copy` reads all in one go and not in pages.',
        ...Array.from(unfinished, (name) => `\`${name}\` was stopped after ${maxSeconds} s, before its end.`),
      ],
    };
  });
}
