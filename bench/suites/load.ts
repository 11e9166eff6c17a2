import { open, type Able, type Contender } from '../contenders/contender.js';
import { raw } from '../contenders/raw.js';
import { fill, withDatabases } from '../databases.js';
import { alternate } from '../rounds.js';
import { rowsSql } from '../workload/rows.js';
import { compare } from './ratios.js';
import { thatCan, type Bench, type Row, type Suite, type SuiteReport } from './suite.js';

const lengths = [10, 1000, 10_000];

/** Loads of one stream among many. */
export const load: Suite = { name: 'load', run };

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  // The raw baseline loads its table as pg does ours.
  const subjects = thatCan(contenders, 'load').filter(({ name }) => name !== raw.name);
  return withDatabases(serverUrl, subjects, async ({ urlOf }) => {
    const sessions = new Map<Contender, Able<'load'>>();
    const filled = new Set<string>();
    for (const contender of subjects) {
      if (!filled.has(contender.database)) {
        progress(`load: fill ${contender.database}`);
        await fill(contender, urlOf(contender), storeSql(Math.ceil(settings.events / 10)));
        filled.add(contender.database);
      }
      sessions.set(contender, await open(contender, urlOf(contender), 'load'));
    }

    const rows: Row[] = [];
    for (const length of lengths) {
      progress(`load: ${length} events`);
      const values = await alternate(subjects, settings.rounds, (contender) =>
        loadsPerSecond(contender.name, sessions.get(contender)!, length, settings.seconds / 2),
      );
      for (const contender of subjects) {
        rows.push({
          workload: streamOf(length),
          contender: contender.name,
          unit: 'loads/s',
          values: values.get(contender)!,
        });
      }
    }
    for (const session of sessions.values()) await session.close();
    return { title: 'Load of one stream', rows: compare(rows, ['pg']) };
  });
}

export function streamOf(length: number): string {
  return `${length.toLocaleString('en')} events`;
}

/** Streams of the lengths that are loaded, and others around them. */
function storeSql(others: number): string {
  let after = 0;
  const parts = [...lengths, others].map((count, index) => {
    const isOther = index === lengths.length;
    const sql = rowsSql({
      count,
      after,
      perStream: isOther ? 20 : count,
      prefix: isOther ? 'account-o' : `account-l${count}-`,
    });
    after += count;
    return sql;
  });
  return parts.map((sql) => `(${sql})`).join(' union all ');
}

async function loadsPerSecond(
  name: string,
  session: Able<'load'>,
  length: number,
  seconds: number,
): Promise<number> {
  const start = performance.now();
  let loads = 0;
  do {
    const { version, count } = await session.load(`account-l${length}-0`, 0);
    if (version !== length || count !== length) {
      throw new Error(`${name} loaded ${count} of ${length} events, up to version ${version}.`);
    }
    loads++;
  } while (performance.now() - start < seconds * 1000);
  return loads / ((performance.now() - start) / 1000);
}
