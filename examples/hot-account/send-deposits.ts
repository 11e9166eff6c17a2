import { randomUUID } from 'node:crypto';
import { streamId } from 'temporal-event-store';
import type { AggregateClient } from 'temporal-event-store/client';
import { Account } from './account.js';

/** A command that was answered. */
export interface AnsweredCommand {
  readonly streamId: string;
  readonly commandId: string;
  readonly amount: number;
}

export interface DepositSettings {
  readonly accountIds: readonly string[];
  readonly callers: number;
  /** Whether no more commands are to be sent, when so many were. */
  readonly isOver: (sent: number) => boolean;
  readonly onAnswer: (took: number) => void;
}

/** Every so many commands one is sent again after its answer, as a caller does that did not hear it. */
const repeatEvery = 10;

/** As many callers as asked for, each of which sends a command and waits for its answer before the next. */
export async function sendDeposits(
  accounts: AggregateClient<typeof Account>,
  { accountIds, callers, isOver, onAnswer }: DepositSettings,
): Promise<{ readonly commands: readonly AnsweredCommand[]; readonly resent: number }> {
  const commands: AnsweredCommand[] = [];
  let [sent, resent] = [0, 0];

  const call = async (): Promise<void> => {
    while (!isOver(sent)) {
      const number = sent++;
      const id = accountIds[number % accountIds.length] as string;
      const commandId = randomUUID();
      const amount = 1 + (number % 100);
      // Longer than a worker's death is noticed and made up for.
      const deposit = () => accounts.execute(id, 'deposit', { amount }, { commandId, timeout: 120_000 });

      const start = performance.now();
      const { version } = await deposit();
      onAnswer(performance.now() - start);
      commands.push({ streamId: streamId(Account.category, id), commandId, amount });

      if (number % repeatEvery > 0) continue;
      const again = await deposit();
      if (!again.deduplicated || again.version !== version) {
        throw new Error(`Command ${commandId} made version ${version}, and sent again ${again.version}.`);
      }
      resent++;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return { commands, resent };
}
