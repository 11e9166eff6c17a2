import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { audit } from '../audit.js';
import { open, type Able, type Append } from '../contenders/contender.js';
import { runSql } from '../contenders/pg-pool.js';
import { withClient, withDatabases } from '../databases.js';
import { percentile } from '../rounds.js';
import type { Row } from '../suites/suite.js';
import { createEventSource, type EventSource } from '../workload/events.js';
import { Ledger } from '../workload/ledger.js';
import type { ProjectionContender, ProjectionPlace } from './contender.js';
import { auditBalance } from './read-model.js';

/** Appends of one event. */
const writesPerSecond = 200;
const accounts = 400;
/** After the last write, until what isn't seen counts as lost. */
const maxSecondsBehind = 30;

export const lagWorkload = `${writesPerSecond} live writes/s`;

/** How long an event takes from the answer to its append until readers of the read model see it. */
export async function measureLag(
  serverUrl: string,
  place: Omit<ProjectionPlace, 'url'>,
  contender: ProjectionContender,
  follow: NonNullable<ProjectionContender['follow']>,
  window: number,
): Promise<Row> {
  const { name, source, schema } = contender;
  return withDatabases(serverUrl, [source], async ({ urlOf }) => {
    const url = urlOf(source);
    const ledger = new Ledger();
    const { rate, lags } = await follow({ ...place, url }, async () => {
      await runSql(url, announceSql(schema));
      const session = await open(source, url, 'append');
      const result = await withClient(url, async (client) => {
        const answered = new Map<number, number>();
        const seen = new Map<number, number>();
        client.on('notification', ({ payload }) => seen.set(Number(payload), performance.now()));
        await client.query('listen seen');
        const rate = await write(session, createEventSource(), ledger, window, answered);
        const giveUpAt = performance.now() + maxSecondsBehind * 1000;
        while (seen.size < answered.size && performance.now() < giveUpAt) await delay(20);
        // What is seen before its append was answered takes no time.
        const lags = Array.from(seen, ([ref, at]) => Math.max(at - (answered.get(ref) ?? at), 0));
        return { rate, lags };
      });
      await session.close();
      return result;
    });
    const stored = await audit(source, url, ledger);
    const projected = await auditBalance(source, url, schema, Number.MAX_SAFE_INTEGER);
    return {
      workload: lagWorkload,
      contender: name,
      unit: 'events/s',
      values: [rate],
      latency: { p50: percentile(lags, 50), p99: percentile(lags, 99) },
      counts: { ...projected, lost: projected.lost + stored.lost },
    };
  });
}

/** Tells of each event when the transaction that applied it is committed; no handler has to. */
function announceSql(schema: string): readonly string[] {
  return [
    `create function "${schema}".announce() returns trigger language plpgsql as $$
     begin
       perform pg_notify('seen', new.last_ref::text);
       return null;
     end $$`,
    `create trigger announce after insert or update on "${schema}".balance
       for each row execute function "${schema}".announce()`,
  ];
}

/** Writes at a rate, however long the answers take. Returns the rate. */
async function write(
  session: Able<'append'>,
  nextEvent: EventSource,
  ledger: Ledger,
  seconds: number,
  answered: Map<number, number>,
): Promise<number> {
  const count = writesPerSecond * seconds;
  // Of each account one append after the other.
  const last = Array.from({ length: accounts }, () => Promise.resolve());
  const streamIds = Array.from({ length: accounts }, () => `account-${randomUUID()}`);
  const start = performance.now();
  for (let index = 0; index < count; index++) {
    const account = index % accounts;
    const event = nextEvent();
    const append: Append = {
      streamId: streamIds[account]!,
      expectedVersion: Math.floor(index / accounts),
      commitId: randomUUID(),
      events: [event],
    };
    last[account] = last[account]!.then(async () => {
      await session.append(append);
      answered.set(event.data.ref, performance.now());
      ledger.acknowledge(append);
    });
    const due = start + ((index + 1) / writesPerSecond) * 1000;
    await delay(Math.max(due - performance.now(), 0));
  }
  await Promise.all(last);
  return count / ((performance.now() - start) / 1000);
}
