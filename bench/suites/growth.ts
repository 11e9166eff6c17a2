import { audit, type Faults } from '../audit.js';
import { open, type Able, type Contender } from '../contenders/contender.js';
import { fill, withDatabases } from '../databases.js';
import { alternate, ratioOf } from '../rounds.js';
import { runClients } from '../workload/clients.js';
import { createEventSource } from '../workload/events.js';
import { Ledger } from '../workload/ledger.js';
import { rowsSql } from '../workload/rows.js';
import { thatCan, type Bench, type Suite, type SuiteReport } from './suite.js';

const clients = 16;

export const emptyStore = 'empty store';
export const largeStore = 'large store';

/** Whether a store gets slower as it grows: the append rate of an empty and of a large one, in the same run. */
export const growth: Suite = { name: 'growth', run };

interface Subject {
  readonly contender: Contender;
  readonly workload: string;
  readonly url: string;
  readonly session: Able<'append'>;
  readonly ledger: Ledger;
}

async function run(bench: Bench): Promise<SuiteReport> {
  const { serverUrl, settings, progress } = bench;
  const contenders = thatCan(bench.contenders, 'append');
  return withDatabases(
    serverUrl,
    contenders,
    (empty) =>
      withDatabases(
        serverUrl,
        contenders,
        async (large) => {
          const subjects: Subject[] = [];
          for (const contender of contenders) {
            progress(`growth: fill ${contender.name}`);
            await fill(contender, large.urlOf(contender), rowsSql({ count: settings.size, perStream: 20 }));
            for (const [workload, { urlOf }] of [
              [emptyStore, empty] as const,
              [largeStore, large] as const,
            ]) {
              const url = urlOf(contender);
              const session = await open(contender, url, 'append');
              subjects.push({ contender, workload, url, session, ledger: new Ledger() });
            }
          }
          progress('growth: append');
          return { title: title(settings.size), rows: await measure(subjects, bench) };
        },
        'large',
      ),
    'empty',
  );
}

function title(size: number): string {
  return `Growth: appends of ${clients} clients × 1 event, to an empty store and to ${size.toLocaleString('en')} events`;
}

async function measure(subjects: readonly Subject[], { settings }: Bench) {
  const nextEvent = createEventSource();
  const values = await alternate(subjects, settings.rounds, async ({ session, ledger }) => {
    const load = { clients, eventsPerAppend: 1, seconds: settings.seconds };
    const { appends, elapsedSeconds } = await runClients(session, nextEvent, ledger, load);
    return appends / elapsedSeconds;
  });
  const faults = new Map<Subject, Faults>();
  for (const subject of subjects) {
    await subject.session.close();
    faults.set(subject, await audit(subject.contender, subject.url, subject.ledger));
  }
  return subjects.map((subject) => {
    const { contender, workload } = subject;
    const empty = subjects.find((it) => it.contender === contender && it.workload === emptyStore)!;
    return {
      workload,
      contender: contender.name,
      unit: 'events/s' as const,
      values: values.get(subject)!,
      ratios: { '× empty': ratioOf(values.get(subject)!, values.get(empty)!) },
      counts: { ...faults.get(subject) },
    };
  });
}
