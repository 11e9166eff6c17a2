import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { findEventStoreError, isEventStoreError } from 'temporal-event-store';
import { AggregateClient } from 'temporal-event-store/client';
import { Wallet } from '../../support/wallet.js';
import { openChannel } from '../channel.js';
import { openJournal } from '../journal.js';
import type { WalletCommand } from './commands.js';
import type { Answer, CallerLine } from './journal-lines.js';
import type { CallerOrder, CallerReport } from './messages.js';

// Callers who take the commands of the run one after the other, each one at a time.
const {
  NAME = '',
  START = '',
  FOLDER = '',
  ADDRESS = '',
  TASK_QUEUE = '',
  CALLERS = '',
  LANES,
} = process.env;
const { report, reportUnexpected, onOrder } = openChannel<CallerOrder, CallerReport>();
const journal = openJournal<CallerLine>(join(FOLDER, `${NAME}.caller`));
const connection = await Connection.connect({ address: ADDRESS });
const wallets = new AggregateClient({
  client: new Client({ connection }),
  aggregate: Wallet,
  taskQueue: TASK_QUEUE,
  ...(LANES !== undefined && { lanes: Number(LANES) }),
});

const queue: { readonly command: WalletCommand; readonly timeout: number }[] = [];
let calls = 0;
let idleCallers = Number(CALLERS);
let isFinishing = false;

onOrder((order) => {
  if (order.kind === 'finish') isFinishing = true;
  else for (const command of order.commands) queue.push({ command, timeout: order.timeout });
  while (idleCallers > 0 && queue.length > 0) void callOn();
  void endWhenDone();
});

async function callOn(): Promise<void> {
  idleCallers--;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { command, timeout } = next;
    const call = `${NAME}.${START}.${++calls}`;
    report({ kind: 'sending', command });
    journal.write(['sent', call, command, Date.now()]);
    const answer = await send(command, timeout);
    journal.write(['answered', call, answer, Date.now()]);
    report({ kind: 'answered', command, answer });
  }
  idleCallers++;
  void endWhenDone();
}

async function send({ commandId, id, name, amount }: WalletCommand, timeout: number): Promise<Answer> {
  try {
    const { version, events, deduplicated } = await wallets.execute(
      id,
      name,
      { amount },
      { commandId, timeout },
    );
    return { kind: 'committed', version, eventIds: events.map((event) => event.id), deduplicated };
  } catch (error) {
    if (findEventStoreError(error, 'DOMAIN_ERROR')?.reason === 'INSUFFICIENT_FUNDS') {
      return { kind: 'rejected' };
    }
    if (isEventStoreError(error, 'COMMAND_OUTCOME_UNKNOWN')) return { kind: 'unknown' };
    if (!isEventStoreError(error)) reportUnexpected(error);
    return { kind: 'failed', error: String(error) };
  }
}

async function endWhenDone(): Promise<void> {
  if (!isFinishing || queue.length > 0 || idleCallers < Number(CALLERS)) return;
  await wallets.close();
  await connection.close();
  process.disconnect();
}
