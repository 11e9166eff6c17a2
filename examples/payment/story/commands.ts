import type { processPayment } from '../commands/command-workflow.js';
import type { PaymentResult, ProcessPayment } from '../commands/payment-command.js';
import { sendPayment } from '../commands/send-payment.js';
import { formatMoney } from '../domain/money.js';
import type { Stage } from './stage.js';

/** Durable commands, and the same by a workflow. */
export async function commands({ payments, payment, execute, bus, title, say }: Stage): Promise<void> {
  const report = (command: ProcessPayment, result: PaymentResult): void => {
    const outcome = result.success
      ? `processed, version ${result.version}${result.deduplicated ? ' (it was already: nothing was stored)' : ''}`
      : `refused: ${result.reason}`;
    say(`  ${command.paymentId}, ${formatMoney(command.amount)} → ${outcome}`);
  };
  const send = async (command: ProcessPayment): Promise<void> => {
    report(command, await sendPayment(payments, command));
  };
  const pay = async (command: ProcessPayment): Promise<void> => {
    report(command, await execute<typeof processPayment>('processPayment', command));
  };

  title('A8  Three payments of two organisations, sent as durable commands');
  const first = paymentCommand(payment(1), 'org-456', 10_000, 'EUR');
  await send(first);
  await send(paymentCommand(payment(2), 'org-456', 20_000, 'USD'));
  await send(paymentCommand(payment(3), 'org-789', 30_000, 'EUR'));

  title('A8  The caller did not hear the answer and sends the first one again');
  await send(first);

  title('A6  What the rules forbid is refused, and nothing is stored');
  await send({ ...first, commandId: crypto.randomUUID() });
  await send(paymentCommand(payment(4), 'org-789', 0, 'EUR'));

  title(
    'A7, A8  A payment as a workflow of its own, which also publishes; and again (published at least once)',
  );
  const fourth = paymentCommand(payment(4), 'org-789', 40_000, 'EUR');
  const leave = bus.onAny(({ type, streamId, id }) => {
    if (streamId === `Payment-${fourth.paymentId}`) {
      say(`    published ${type} of ${streamId}, event ${id.slice(0, 8)}`);
    }
  });
  await pay(fourth);
  await pay(fourth);
  leave();
}

function paymentCommand(
  paymentId: string,
  organizationId: string,
  minorUnits: number,
  currency: string,
): ProcessPayment {
  return {
    commandId: crypto.randomUUID(),
    correlationId: `case-${paymentId}`,
    paymentId,
    organizationId,
    userId: 'user-789',
    amount: { minorUnits, currency },
    description: `Invoice for ${paymentId}`,
  };
}
