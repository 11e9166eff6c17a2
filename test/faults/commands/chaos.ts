import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { AggregateClient } from 'temporal-event-store/client';
import { Wallet } from '../../support/wallet.js';
import { showProgress } from '../console.js';
import { waitUntil, within } from '../wait.js';
import { Arena, type ArenaOptions } from './arena.js';
import { audit, type Audit, type ReadState } from './audit.js';
import { commandOf } from './commands.js';
import { impatience, type Fault } from './faults.js';
import { playScenes } from './scenes.js';
import type { Tally } from './tally.js';

export interface ChaosOptions extends Omit<ArenaOptions, 'folder' | 'logFile'> {
  /** For journals and logs. */
  readonly folder: string;
  readonly commands: number;
  /** Made one after the other, each amid its share of the commands, which are sent where there are none, too. */
  readonly faults: readonly (readonly [name: string, fault: Fault])[];
}

export interface Outcome extends Audit {
  readonly tally: Tally;
}

const noFault: Fault = { make: async () => undefined };

/** Sends commands amid faults, and compares what was answered with what is stored. */
export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  const journals = await mkdtemp(join(options.folder, 'journals-'));
  const arena = await Arena.open({ ...options, folder: journals, logFile: join(options.folder, 'log') });
  try {
    await arena.start();
    await playScenes(arena);
    let sent = 0;
    const made = options.faults.length > 0 ? options.faults : [['none', noFault] as const];
    for (const [index, [name, fault]] of made.entries()) {
      const upTo = Math.round((options.commands * (index + 1)) / made.length);
      const commands = Array.from({ length: upTo - sent }, (_, place) => commandOf(sent + place + 1));
      showProgress(
        `${sent} commands, ${arena.tally.unknownOutcomes} outcomes unknown at first; now: ${name}`,
      );
      const goal = arena.tally.answers + Math.floor(commands.length / 4);
      sent = upTo;
      fault.prepare?.(arena);
      arena.send(commands, impatience);
      await waitUntil(() => arena.tally.answers >= goal, `some commands are answered before: ${name}`);
      await within(90, `the fault "${name}" has ended`, fault.make(arena));
      await arena.settle(name);
      await arena.waitForWorker();
    }
    await arena.askAgain();
    await within(60, 'the callers have ended', arena.endCallers());
    const { findings, counts } = await audit(
      options.url,
      journals,
      options.commands,
      await stateReader(options),
    );
    return { findings, counts, tally: arena.tally };
  } finally {
    await arena.close();
  }
}

async function stateReader({ temporal, taskQueue }: ChaosOptions): Promise<ReadState> {
  const connection = await Connection.connect({ address: temporal.address });
  const wallets = new AggregateClient({ client: new Client({ connection }), aggregate: Wallet, taskQueue });
  return async (id) => {
    const { version, state } = await wallets.state(id);
    return { version, balance: (state as { balance: number }).balance };
  };
}
