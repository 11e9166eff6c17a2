import { randomUUID } from 'node:crypto';
import { Conflict, type Able, type Append } from '../contenders/contender.js';
import { withDatabases } from '../databases.js';
import { alternate } from '../rounds.js';
import { createEventSource, type EventSource } from '../workload/events.js';
import type { Ledger } from '../workload/ledger.js';
import { closeAndAudit, openAll } from '../workload/runs.js';
import { compare, thatCan, toRows, type Bench, type Suite, type SuiteReport } from './suite.js';

const racers = 16;

/** Racers on one stream: each appends with the version that it saw last, and loads again on a conflict. */
export const hotStream: Suite = {
  name: 'hot-stream',
  run,
};

async function run({ serverUrl, settings, contenders, progress }: Bench): Promise<SuiteReport> {
  const subjects = thatCan(contenders, 'append', 'load');
  progress('hot-stream');
  return withDatabases(serverUrl, subjects, async ({ urlOf }) => {
    const nextEvent = createEventSource();
    const runs = await openAll(subjects, urlOf, 'append', 'load');
    const values = await alternate(subjects, settings.rounds, (contender) => {
      const { session, ledger } = runs.get(contender)!;
      return race(session, nextEvent, ledger, settings.seconds);
    });
    const faults = await closeAndAudit(runs, urlOf);
    return {
      title: 'One hot stream, expected version, load again on conflict',
      rows: compare(toRows(`${racers} racers`, 'appends/s', values, faults), ['raw']),
    };
  });
}

/** Committed appends a second. */
async function race(
  session: Able<'append' | 'load'>,
  nextEvent: EventSource,
  ledger: Ledger,
  seconds: number,
): Promise<number> {
  const streamId = `account-${randomUUID()}`;
  const start = performance.now();
  const end = start + seconds * 1000;
  let committed = 0;
  const racer = async () => {
    let version = 0;
    while (performance.now() < end) {
      const append: Append = {
        streamId,
        expectedVersion: version,
        commitId: randomUUID(),
        events: [nextEvent()],
      };
      try {
        await session.append(append);
        ledger.acknowledge(append);
        committed++;
        version++;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        ({ version } = await session.load(streamId, version));
      }
    }
  };
  await Promise.all(Array.from({ length: racers }, racer));
  return committed / ((performance.now() - start) / 1000);
}
