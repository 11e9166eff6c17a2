import { Conflict, open, type Able, type TagFilter } from '../contenders/contender.js';
import { ours } from '../contenders/ours.js';
import { runSql } from '../contenders/pg-pool.js';
import { fill, withDatabases } from '../databases.js';
import { alternate, median } from '../rounds.js';
import type { Bench, Row } from '../suites/suite.js';
import { createEventSource, type EventSource } from '../workload/events.js';
import { toAppend } from './appends.js';
import { markedRowsSql, marks } from './marked-rows.js';
import { compareToFirst, turnsOf } from './way.js';

type Session = Able<'append' | 'appendIf' | 'find'>;

interface Subject {
  readonly name: string;
  /** Of the condition. Absent for an append without one. */
  readonly filter?: TagFilter;
}

const subjects: readonly Subject[] = [
  { name: 'plain' },
  { name: 'rare tag', filter: { tags: [marks.rareTag] } },
  { name: 'common tag', filter: { tags: [marks.commonTag] } },
  { name: 'common tag and type', filter: { tags: [marks.commonTag], types: [marks.type] } },
  { name: 'type', filter: { types: [marks.type] } },
];

function searchWorkload(behind: number): string {
  return `condition of ${behind.toLocaleString('en')} events ago`;
}

/**
 * How long an append of a single caller takes whose condition was read so many events ago, in a large store. No event is in
 * its way, so that the search for one is as long as it can be.
 */
export async function measureSearch({ serverUrl, settings, progress }: Bench): Promise<Row[]> {
  const { size } = settings;
  return withDatabases(serverUrl, [ours], async ({ urlOf }) => {
    const url = urlOf(ours);
    progress(`conditions: fill with ${size.toLocaleString('en')} events`);
    await fill(ours, url, markedRowsSql(size, size * 0.9));
    await runSql(url, ['checkpoint']);
    const session = await open(ours, url, 'append', 'appendIf', 'find');
    const nextEvent = createEventSource();
    await assertIsFound(session, nextEvent);

    const turns = turnsOf(settings);
    const rows: Row[] = [];
    for (const behind of [0, 1_000, size / 10]) {
      const workload = searchWorkload(behind);
      progress(workload);
      const values = await alternate(subjects, turns.count, (subject) =>
        timeOf(session, nextEvent, subject, behind, turns.seconds / 2),
      );
      const measured = subjects.map((subject): Row => {
        return { workload, contender: subject.name, unit: 'ms', values: values.get(subject)! };
      });
      rows.push(...compareToFirst(measured));
    }
    await session.close();
    return rows;
  });
}

/** A search that finds nothing is worth something only if it finds what is there. */
async function assertIsFound(session: Session, nextEvent: EventSource): Promise<void> {
  for (const { name, filter } of subjects) {
    if (filter === undefined) continue;
    try {
      await session.appendIf(toAppend(nextEvent()), { filters: [filter], after: 0 });
    } catch (error) {
      if (error instanceof Conflict) continue;
      throw error;
    }
    throw new Error(`No event of the ${name} was in the way.`);
  }
}

/** Milliseconds of an append, the median of a turn. */
async function timeOf(
  session: Session,
  nextEvent: EventSource,
  { filter }: Subject,
  behind: number,
  seconds: number,
): Promise<number> {
  const times: number[] = [];
  let { after: last } = await session.find({ tags: ['none'] });
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const append = toAppend(nextEvent());
    const start = performance.now();
    if (filter === undefined) await session.append(append);
    else last = await session.appendIf(append, { filters: [filter], after: last - behind });
    times.push(performance.now() - start);
  }
  return median(times);
}
