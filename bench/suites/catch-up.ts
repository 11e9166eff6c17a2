import { open, type Able, type Contender } from '../contenders/contender.js';
import { fill, withDatabases } from '../databases.js';
import { alternate } from '../rounds.js';
import { readStore, storedRefs } from '../workload/reading.js';
import { rowsSql } from '../workload/rows.js';
import { compare } from './ratios.js';
import { thatCan, type Bench, type Suite, type SuiteReport } from './suite.js';

export const catchUpWorkload = 'pages of 1,000';

/** The whole store from its start. */
export const catchUp: Suite = { name: 'catch-up', run };

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  const subjects = thatCan(contenders, 'catchUp');
  return withDatabases(serverUrl, subjects, async ({ urlOf }) => {
    const sessions = new Map<Contender, Able<'catchUp'>>();
    const refs = new Map<string, Float64Array>();
    for (const contender of subjects) {
      const url = urlOf(contender);
      if (!refs.has(contender.database)) {
        progress(`catch-up: fill ${contender.database}`);
        await fill(contender, url, rowsSql({ count: settings.events, perStream: 20 }));
        refs.set(contender.database, await storedRefs(url, `${contender.storedSql} order by ref`));
      }
      sessions.set(contender, await open(contender, url, 'catchUp'));
    }

    progress('catch-up: read');
    const unfinished = new Set<string>();
    const values = await alternate(subjects, settings.rounds, async (contender) => {
      const stored = refs.get(contender.database)!;
      const reading = await readStore(sessions.get(contender)!, stored, settings.seconds * 5);
      if (!reading.isWhole) unfinished.add(contender.name);
      return reading.eventsPerSecond;
    });
    for (const session of sessions.values()) await session.close();

    const rows = subjects.map((contender) => ({
      workload: catchUpWorkload,
      contender: contender.name,
      unit: 'events/s' as const,
      values: values.get(contender)!,
    }));
    return {
      title: `Catch-up of ${settings.events.toLocaleString('en')} events`,
      rows: compare(rows, ['pg', 'copy']),
      notes: [
        '`copy` reads all in one go and not in pages.',
        ...Array.from(
          unfinished,
          (name) => `\`${name}\` was stopped after ${settings.seconds * 5} s, before its end.`,
        ),
      ],
    };
  });
}
