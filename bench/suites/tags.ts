import { open, type Able, type Contender } from '../contenders/contender.js';
import { fill, withDatabases } from '../databases.js';
import { alternate, median, time } from '../rounds.js';
import { rowsSql } from '../workload/rows.js';
import { compare } from './ratios.js';
import { thatCan, type Bench, type Row, type Suite, type SuiteReport } from './suite.js';

const pageSize = 100;
const repeats = 5;
const rareEvents = 3;

/** A page of the events with a tag that three events have, and with one that half of all have. */
export const tags: Suite = { name: 'tags', run };

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  const subjects = thatCan(contenders, 'readTag');
  const { size } = settings;
  return withDatabases(serverUrl, subjects, async ({ urlOf }) => {
    const sessions = new Map<Contender, Able<'readTag'>>();
    for (const contender of subjects) {
      if (sessions.size === 0) {
        progress(`tags: fill ${contender.database}`);
        await fill(contender, urlOf(contender), storeSql(size));
      }
      sessions.set(contender, await open(contender, urlOf(contender), 'readTag'));
    }

    const rows: Row[] = [];
    for (const { workload, tag, after, expected } of workloads(size)) {
      progress(`tags: ${workload}`);
      const values = await alternate(subjects, settings.rounds, async (contender) => {
        const times: number[] = [];
        for (let repeat = 0; repeat < repeats; repeat++) {
          const seconds = await time(async () => {
            const count = await sessions.get(contender)!.readTag(tag, after, pageSize);
            if (count !== expected) {
              throw new Error(
                `${contender.name} read ${count} events with the tag ${tag} instead of ${expected}.`,
              );
            }
          });
          times.push(seconds * 1000);
        }
        return median(times);
      });
      for (const contender of subjects) {
        rows.push({ workload, contender: contender.name, unit: 'ms', values: values.get(contender)! });
      }
    }
    for (const session of sessions.values()) await session.close();
    return {
      title: `Tag filters on ${size.toLocaleString('en')} events: a page of ${pageSize}`,
      rows: compare(rows, ['pg']),
      notes: ['`pg` asks `tags @> … and position > … order by position limit …`, and waits for nobody.'],
    };
  });
}

function workloads(size: number) {
  const middle = Math.floor(size / 2);
  return [
    { workload: 'rare tag, from the start', tag: 'rare', after: 0, expected: rareEvents },
    { workload: 'rare tag, from the middle', tag: 'rare', after: middle, expected: rareEvents - 1 },
    { workload: 'common tag, from the start', tag: 'common', after: 0, expected: pageSize },
    { workload: 'common tag, from the middle', tag: 'common', after: middle, expected: pageSize },
  ];
}

/** The rare events lie at 1, 3 and 4 fifths of the store. */
function storeSql(size: number): string {
  const fifth = Math.floor(size / 5);
  const tagsSql = `
    array['branch:' || n % 1000] || case when n % 2 = 0 then array['common'] else array[]::text[] end
    || case when n in (${fifth}, ${fifth * 3}, ${fifth * 4}) then array['rare'] else array[]::text[] end`;
  return rowsSql({ count: size, perStream: 20, tagsSql });
}
