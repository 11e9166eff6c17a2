import { randomUUID } from 'node:crypto';
import { Conflict, type Able, type Append, type Contender } from '../contenders/contender.js';
import { withDatabases } from '../databases.js';
import { alternate, median } from '../rounds.js';
import { runClients, type Load } from '../workload/clients.js';
import { createEventSource, type EventSource } from '../workload/events.js';
import type { Ledger } from '../workload/ledger.js';
import { closeAndAudit, openAll } from '../workload/runs.js';
import { compare, thatCan, toRows, type Bench, type Row, type Suite } from './suite.js';

/** Appends to streams of each client's own: the latency of one client, the throughput of several. */
export const append: Suite = {
  name: 'append',
  async run(bench) {
    const rows: Row[] = [];
    for (const eventsPerAppend of [1, 10]) {
      for (const clients of [1, 16, 64]) {
        bench.progress(`append: ${workloadName(clients, eventsPerAppend)}`);
        rows.push(...(await measure(bench, { clients, eventsPerAppend, seconds: bench.settings.seconds })));
      }
    }
    return {
      title: 'Append, streams of each client’s own',
      rows: compare(rows, ['raw']),
      notes: [
        'Of one client: the median time of an append (less is better). Of more: events per second.',
        'After the rounds, 50 appends are sent three times each, twice at once and again later, to those who claim that a repeat is stored once.',
      ],
    };
  },
};

export function workloadName(clients: number, eventsPerAppend: number): string {
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return `${plural(clients, 'client')} × ${plural(eventsPerAppend, 'event')}`;
}

async function measure({ serverUrl, settings, contenders }: Bench, load: Load): Promise<Row[]> {
  const subjects = thatCan(contenders, 'append');
  return withDatabases(serverUrl, subjects, async ({ urlOf }) => {
    const nextEvent = createEventSource();
    const runs = await openAll(subjects, urlOf, 'append');
    const run = async (contender: Contender, seconds: number) => {
      const { session, ledger } = runs.get(contender)!;
      const result = await runClients(session, nextEvent, ledger, { ...load, seconds });
      const events = result.appends * load.eventsPerAppend;
      return load.clients === 1 ? median(result.latencies) : events / result.elapsedSeconds;
    };
    const values = await alternate(
      subjects,
      settings.rounds,
      (contender) => run(contender, settings.seconds),
      (contender) => run(contender, settings.seconds / 2),
    );

    for (const [contender, { session, ledger }] of runs) {
      if (contender.claimsRepeatsAreSafe) await sendRepeatedly(session, nextEvent, ledger);
    }
    const faults = await closeAndAudit(runs, urlOf);
    const unit = load.clients === 1 ? 'ms' : 'events/s';
    return toRows(workloadName(load.clients, load.eventsPerAppend), unit, values, faults);
  });
}

/** Repeats may be refused or answered as the first; the audit tells whether one was stored again. */
async function sendRepeatedly(
  session: Able<'append'>,
  nextEvent: EventSource,
  ledger: Ledger,
): Promise<void> {
  const appends = Array.from({ length: 50 }, (): Append => {
    return {
      streamId: `account-${randomUUID()}`,
      expectedVersion: 0,
      commitId: randomUUID(),
      events: [nextEvent()],
    };
  });
  const send = async (append: Append) => {
    try {
      await session.append(append);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  };
  await Promise.all([...appends, ...appends].map(send));
  for (const append of appends) {
    await session.append({ ...append, expectedVersion: 1, commitId: randomUUID(), events: [nextEvent()] });
    await send(append);
    ledger.acknowledge(append);
    ledger.repeated(append);
  }
}
