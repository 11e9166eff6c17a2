import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEventStoreError, isEventStoreError, iterateStream } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import type { WalletEvent } from '../../support/wallet.js';
import { openChannel } from '../channel.js';
import { openJournal } from '../journal.js';
import type { ForeignLine } from './journal-lines.js';
import type { ForeignOrder, ForeignReport } from './messages.js';

// Appends to the wallets past the lanes, by the rules of a wallet, one append at a time.
const { NAME = '', FOLDER = '', STORE_URL = '' } = process.env;
const { report, reportUnexpected, onOrder } = openChannel<ForeignOrder, ForeignReport>();
const journal = openJournal<ForeignLine>(join(FOLDER, `${NAME}.foreign`));
const store = await PostgresEventStore.connect({
  connectionString: STORE_URL,
  operationTimeout: 2_000,
  retryTimeout: 1_000,
});
/** As far as they were read. */
const wallets = new Map<string, { version: number; balance: number }>();
let commits = 0;

let work = Promise.resolve();
onOrder((order) => {
  work = work
    .then(() => (order.kind === 'append' ? append(order.id) : end()))
    .catch((error: unknown) => {
      reportUnexpected(error);
    });
});

/** Decides and appends on what it read last, then on what is new, until nobody comes between. */
async function append(id: string): Promise<void> {
  for (;;) {
    const { version, balance } = wallets.get(id) ?? (await untilAvailable(() => read(id)));
    const amount = balance > 0 ? -Math.ceil(balance / 2) : 100;
    const commitId = `foreign-${++commits}`;
    journal.write(['sent', commitId, id, amount, Date.now()]);
    try {
      const type: WalletEvent['type'] = amount > 0 ? 'Deposited' : 'Withdrawn';
      const event = { type, data: { amount: Math.abs(amount) } };
      const result = await untilAvailable(() =>
        store.appendToStream(`Wallet-${id}`, [event], { expectedVersion: version, commitId }),
      );
      journal.write(['acknowledged', commitId, result.version, Date.now()]);
      wallets.set(id, { version: result.version, balance: balance + amount });
      report({ kind: 'appended' });
      return;
    } catch (error) {
      if (findEventStoreError(error, 'VERSION_CONFLICT') === undefined) throw error;
      journal.write(['refused', commitId]);
      report({ kind: 'conflict' });
      await untilAvailable(() => read(id));
    }
  }
}

async function read(id: string): Promise<{ readonly version: number; readonly balance: number }> {
  const wallet = wallets.get(id) ?? { version: 0, balance: 0 };
  wallets.set(id, wallet);
  const events = iterateStream<WalletEvent>(store, `Wallet-${id}`, { fromVersion: wallet.version + 1 });
  for await (const { type, data, version } of events) {
    wallet.balance += type === 'Deposited' ? data.amount : -data.amount;
    wallet.version = version;
  }
  return wallet;
}

async function untilAvailable<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isEventStoreError(error, 'STORE_UNAVAILABLE')) throw error;
      // A refused connection is refused at once.
      await sleep(50);
    }
  }
}

async function end(): Promise<void> {
  await store.close();
  process.disconnect();
}
