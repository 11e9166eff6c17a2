import { setTimeout as sleep } from 'node:timers/promises';
import { isEventStoreError } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { openChannel } from '../channel.js';
import type { LedgerEvent } from './ledger.js';
import type { WriterOrder, WriterReport } from './messages.js';

// Writers who append to a few hot streams and many cold ones, until they are told to end.
const { STORE_URL = '' } = process.env;
const writers = 4;
const hotStreams = 3;
const coldStreams = 200;
/** Milliseconds between two appends of a writer: for a load that leaves the machine time to do what is tested. */
const rest = 150;

const { report, reportUnexpected, onOrder } = openChannel<WriterOrder, WriterReport>();
const store = await PostgresEventStore.connect({ connectionString: STORE_URL });
let isFinishing = false;
onOrder(() => (isFinishing = true));
await Promise.all(Array.from({ length: writers }, write));
report({ kind: 'finished' });
await store.close();
process.disconnect();

async function write(): Promise<void> {
  while (!isFinishing) {
    const stream = Math.random() < 0.5 ? `Hot-${upTo(hotStreams)}` : `Cold-${upTo(coldStreams)}`;
    const events = Array.from({ length: upTo(4) }, (): LedgerEvent => ({
      type: 'Posted',
      data: { amount: upTo(1_000) },
    }));
    await append(stream, events);
    await sleep(rest);
  }
}

/** Until it is stored, once. */
async function append(stream: string, events: readonly LedgerEvent[]): Promise<void> {
  const commitId = crypto.randomUUID();
  for (;;) {
    try {
      const { position } = await store.appendToStream<LedgerEvent>(stream, events, { commitId });
      report({ kind: 'appended', position, events: events.length });
      return;
    } catch (error) {
      if (!isEventStoreError(error, 'STORE_UNAVAILABLE')) reportUnexpected(error);
    }
    await sleep(rest);
  }
}

function upTo(end: number): number {
  return 1 + Math.floor(Math.random() * end);
}
