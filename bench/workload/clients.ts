import { randomUUID } from 'node:crypto';
import type { Able, Append } from '../contenders/contender.js';
import type { EventSource } from './events.js';
import type { Ledger } from './ledger.js';

export interface Load {
  readonly clients: number;
  readonly eventsPerAppend: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly appends: number;
  readonly elapsedSeconds: number;
  /** Milliseconds of each append. */
  readonly latencies: readonly number[];
}

/** Streams end, as aggregates do. */
const appendsPerStream = 20;

/** Each client appends to streams of its own, one append after the other, until the time is over. */
export async function runClients(
  session: Able<'append'>,
  nextEvent: EventSource,
  ledger: Ledger,
  { clients, eventsPerAppend, seconds }: Load,
): Promise<LoadResult> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;

  const client = async () => {
    for (;;) {
      const streamId = `account-${randomUUID()}`;
      for (let count = 0; count < appendsPerStream; count++) {
        const append: Append = {
          streamId,
          expectedVersion: count * eventsPerAppend,
          commitId: randomUUID(),
          events: Array.from({ length: eventsPerAppend }, nextEvent),
        };
        const sent = performance.now();
        await session.append(append);
        const received = performance.now();
        latencies.push(received - sent);
        ledger.acknowledge(append);
        if (received >= end) return;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { appends: latencies.length, elapsedSeconds: (performance.now() - start) / 1000, latencies };
}
