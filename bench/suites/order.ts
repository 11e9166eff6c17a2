import { randomUUID } from 'node:crypto';
import { audit } from '../audit.js';
import { open, type Append, type Contender } from '../contenders/contender.js';
import { runSql } from '../contenders/pg-pool.js';
import { raw } from '../contenders/raw.js';
import { withDatabases } from '../databases.js';
import { createEventSource, type EventSource } from '../workload/events.js';
import { Ledger } from '../workload/ledger.js';
import { storedRefs } from '../workload/reading.js';
import { thatCan, type Bench, type Row, type Suite } from './suite.js';

const writers = 12;
const pageSize = 100;

/**
 * Whether a reader that follows the store sees every event. A trigger on the table of events makes some transactions
 * late, after they have drawn their positions, and rolls some back: what a busy machine does, more often.
 */
export const order: Suite = {
  name: 'order',
  async run(bench) {
    const rows: Row[] = [];
    for (const contender of thatCan(bench.contenders, 'append', 'poll')) {
      bench.progress(`order: ${contender.name}`);
      rows.push(await measure(contender, bench));
    }
    const naive = rows.find(({ contender }) => contender === raw.name);
    if (naive?.counts?.['never seen'] === 0) throw new Error('The naive reader saw all: nothing was late.');
    return {
      title: `Order: one reader follows ${writers} writers, some of them late, some rolled back`,
      rows,
      notes: [
        '`never seen`: stored events that the reader passed by. `slowest read`: in ms, the longest that it was held up.',
      ],
    };
  },
};

async function measure(contender: Contender, { serverUrl, settings }: Bench): Promise<Row> {
  return withDatabases(serverUrl, [contender], async ({ urlOf }) => {
    const url = urlOf(contender);
    await runSql(url, disturbanceSql(contender.table));

    const ledger = new Ledger();
    const nextEvent = createEventSource();
    const isWriting = new AbortController();
    const reader = follow(contender, url, isWriting.signal);
    const rolledBack = await Promise.all(
      Array.from({ length: writers }, () => write(contender, url, nextEvent, ledger, settings.seconds * 5)),
    );
    isWriting.abort();
    const { seen, slowestRead } = await reader;

    const faults = await audit(contender, url, ledger);
    const stored = await storedRefs(url, contender.storedSql);
    const seenOnce = new Set(seen);
    return {
      workload: `${writers} writers`,
      contender: contender.name,
      values: [],
      counts: {
        stored: stored.length,
        'rolled back': rolledBack.reduce((sum, count) => sum + count, 0),
        'never seen': stored.filter((ref) => !seenOnce.has(ref)).length,
        'seen twice': seen.length - seenOnce.size,
        'slowest read': Math.round(slowestRead),
        ...faults,
      },
    };
  });
}

/** A writer with connections of its own, as in a process of its own. Returns how many appends were rolled back. */
async function write(
  contender: Contender,
  url: string,
  nextEvent: EventSource,
  ledger: Ledger,
  seconds: number,
): Promise<number> {
  const session = await open(contender, url, 'append');
  const end = performance.now() + seconds * 1000;
  let rolledBack = 0;
  while (performance.now() < end) {
    const append: Append = {
      streamId: `account-${randomUUID()}`,
      expectedVersion: 0,
      commitId: randomUUID(),
      events: [nextEvent()],
    };
    try {
      await session.append(append);
      ledger.acknowledge(append);
    } catch (error) {
      if (!isDisturbance(error)) throw error;
      rolledBack++;
    }
  }
  await session.close();
  return rolledBack;
}

/** Reads until the writers are done and nothing new has come for a while. */
async function follow(contender: Contender, url: string, writersAreDone: AbortSignal) {
  const session = await open(contender, url, 'poll');
  const seen: number[] = [];
  let cursor = 0;
  let slowestRead = 0;
  let emptyReadsAtTheEnd = 0;
  while (emptyReadsAtTheEnd < 20) {
    const isLast = writersAreDone.aborted;
    const start = performance.now();
    const page = await session.poll(cursor, pageSize);
    slowestRead = Math.max(slowestRead, performance.now() - start);
    seen.push(...page.refs);
    cursor = page.cursor;
    if (page.refs.length > 0) {
      emptyReadsAtTheEnd = 0;
    } else {
      if (isLast) emptyReadsAtTheEnd++;
      await new Promise((resolve) => setTimeout(resolve, isLast ? 50 : 1));
    }
  }
  await session.close();
  return { seen, slowestRead };
}

const disturbance = 'rolled back by the benchmark';

function disturbanceSql(table: string): readonly string[] {
  return [
    `create function public.disturb() returns trigger language plpgsql as $$
     begin
       if random() < 0.1 then perform pg_sleep(random() * 0.03); end if;
       if random() < 0.05 then raise exception '${disturbance}'; end if;
       return null;
     end $$`,
    `create trigger disturb after insert on ${table} for each statement execute function public.disturb()`,
  ];
}

function isDisturbance(error: unknown): boolean {
  for (let it = error; it instanceof Error; it = it.cause) if (it.message.includes(disturbance)) return true;
  return false;
}
