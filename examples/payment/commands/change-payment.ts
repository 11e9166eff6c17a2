import { proxyActivities } from '@temporalio/workflow';
import {
  findEventStoreError,
  InvalidArgumentError,
  isEventStoreError,
  type CommandPayloadOf,
} from 'temporal-event-store';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentActivities } from './payment-activities.js';
import type { PaymentResult } from './payment-command.js';

type CommandName = keyof typeof PaymentAggregate.commands;

/** A command of the aggregate, by name. */
export type ChangePayment = {
  [Name in CommandName]: {
    /** The same for every repetition of this command. */
    readonly commandId: string;
    readonly paymentId: string;
    readonly command: Name;
    readonly payload: CommandPayloadOf<typeof PaymentAggregate, Name>;
  };
}[CommandName];

const { loadPayment, savePayment, publishPayment } = proxyActivities<PaymentActivities>({
  startToCloseTimeout: '10 seconds',
});

/**
 * Load, decide, save, publish by activities of our own. `proxyRepository` does the same with less; this is for those whose
 * activities do more than the store's.
 */
export async function changePayment(change: ChangePayment): Promise<PaymentResult> {
  checkCommand(change);
  const { commandId, paymentId } = change;
  for (;;) {
    const events = await loadPayment(paymentId);
    // Sent again, it decides on what it decided on before: the store then finds what it saved.
    const saved = events.findIndex(({ commitId }) => commitId === commandId);
    const payment = PaymentAggregate.fromEvents(paymentId, saved < 0 ? events : events.slice(0, saved));
    try {
      decide(payment, change);
      const { version, deduplicated } = await savePayment({
        paymentId,
        events: payment.uncommittedEvents,
        // Raising events does not change it: it is what was loaded.
        expectedVersion: payment.version,
        commitId: commandId,
        metadata: { causationId: commandId },
      });
      await publishPayment({ paymentId, fromVersion: payment.version + 1, toVersion: version });
      return { success: true, version, deduplicated };
    } catch (error) {
      const refusal = findEventStoreError(error, 'DOMAIN_ERROR');
      if (refusal !== undefined) return { success: false, reason: refusal.message };
      // Somebody else was faster: what they did may change the decision.
      if (!isEventStoreError(error, 'VERSION_CONFLICT')) throw error;
    }
  }
}

/** @throws InvalidArgumentError for what isn't a command, and for a payload that doesn't fit */
function checkCommand({ command, payload }: ChangePayment): void {
  const { commands } = PaymentAggregate;
  if (!Object.hasOwn(commands, command)) {
    throw new InvalidArgumentError(
      `Payments have no command '${command}', but ${Object.keys(commands).join(', ')}.`,
    );
  }
  const schema = commands[command];
  const problem = typeof schema === 'boolean' ? undefined : schema.safeParse(payload).error;
  if (problem !== undefined) {
    throw new InvalidArgumentError(`The payload of '${command}' doesn't fit: ${problem.message}`);
  }
}

function decide(payment: PaymentAggregate, { command, payload }: ChangePayment): void {
  // The union pairs each command with its payload; TypeScript can't follow it through the index.
  (payment[command] as (payload: unknown) => void).call(payment, payload);
}
