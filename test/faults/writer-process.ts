import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { subscribe } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { openChannel } from './channel.js';
import { openJournal, readJournal, type SentCommit, type WriterLine } from './journal.js';
import type { Order, Report } from './messages.js';
import { readOn } from './reader.js';
import { settle, write, type WriterOptions } from './writer.js';

// Half of the writers, and a subscription, on one pool. It is started again under the same name after it was killed,
// and first settles what it left unsettled.
const { NAME = '', FOLDER = '', STORE_URL = '', WRITERS = '', START = '' } = process.env;
const { report, reportUnexpected, onOrder } = openChannel<Order, Report>();
const file = join(FOLDER, `${NAME}.writer`);

// Small enough to be exhausted, and impatient, so that the writers have to repeat appends too, and not only the store.
const pool = new pg.Pool({ connectionString: STORE_URL, max: 5, connectionTimeoutMillis: 1_000 });
pool.on('error', () => undefined);
const store = await connect();

let isFinishing = false;
const counts = { appends: 0, retries: 0 };
onOrder((order) => {
  if (order.kind === 'finish') isFinishing = true;
  else void exhaustPool(order.milliseconds);
});
const unsettled = await findUnsettled();
const options: WriterOptions = {
  store,
  journal: openJournal<WriterLine>(file),
  name: `${NAME}.${START}`,
  versions: new Map(),
  isFinishing: () => isFinishing,
  onAppend: () => counts.appends++,
  onRetry: () => counts.retries++,
  onUnexpected: reportUnexpected,
};
const reader = readOn({
  file: join(FOLDER, `${NAME} subscription.reader`),
  read: (after) => subscribe(store, { after }),
  onUnexpected: reportUnexpected,
});
const timer = setInterval(() => {
  report({ kind: 'progress', ...counts });
}, 200);
await Promise.all(unsettled.map((sent) => settle(options, sent)));
await Promise.all(
  Array.from({ length: Number(WRITERS) }, (_, index) =>
    write({ ...options, name: `${options.name}.${index}` }),
  ),
);
report({ kind: 'progress', ...counts });
report({ kind: 'finished' });
await reader;
clearInterval(timer);
await store.close();
await pool.end();
process.disconnect();

async function connect(): Promise<PostgresEventStore> {
  for (;;) {
    try {
      return await PostgresEventStore.connect({ pool, operationTimeout: 2_000, retryTimeout: 1_000 });
    } catch {
      await sleep(100);
    }
  }
}

async function findUnsettled(): Promise<SentCommit[]> {
  const unsettled = new Map<string, SentCommit>();
  for await (const line of readJournal<WriterLine>(file)) {
    if (line[0] === 'sent') unsettled.set(line[1].commitId, line[1]);
    else unsettled.delete(line[1]);
  }
  return [...unsettled.values()];
}

async function exhaustPool(milliseconds: number): Promise<void> {
  const taken = await Promise.allSettled(Array.from({ length: pool.options.max }, () => pool.connect()));
  await sleep(milliseconds);
  for (const client of taken) if (client.status === 'fulfilled') client.value.release();
}
