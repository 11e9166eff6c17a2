import type { JsonValue } from 'temporal-event-store';
import { TemporalEventStore } from 'temporal-event-store/client';
import { formatMoney } from '../domain/money.js';
import type { paymentReport } from '../queries/payment-report.js';
import type { PaymentReport } from '../queries/payment-totals.js';
import type { Stage } from './stage.js';

/** A payment as it was, and all of them as they were. */
export async function replay({
  client,
  taskQueue,
  payments,
  payment,
  execute,
  title,
  say,
}: Stage): Promise<void> {
  const store = new TemporalEventStore({ client, taskQueue });
  const id = payment(2);
  const show = (when: string, { version, state }: { version: number; state: JsonValue }): void => {
    const { status, refunded } = state as { readonly status: string; readonly refunded: number };
    say(
      `  ${when}: version ${version}, ${status}, ${formatMoney({ minorUnits: refunded, currency: 'USD' })} refunded`,
    );
  };
  const report = (totals: PaymentReport): void => {
    for (const [status, currencies] of Object.entries(totals)) {
      for (const [currency, { payments: count, amount, refunded }] of Object.entries(currencies)) {
        say(
          `  ${status}: ${count} in ${currency}, ${formatMoney({ minorUnits: amount, currency })}` +
            (refunded === 0 ? '' : `, ${formatMoney({ minorUnits: refunded, currency })} of it refunded`),
        );
      }
    }
  };

  title(`A11  The life of ${id} goes on, and any moment of it can be looked at`);
  await payments.execute(id, 'complete');
  const { events } = await store.readStream(`Payment-${id}`, { fromVersion: 2 });
  const completedAt = events[0]?.occurredAt ?? '';
  await payments.execute(id, 'refund', {
    amount: { minorUnits: 5_000, currency: 'USD' },
    reason: 'a part came broken',
  });
  show('by its version', await store.replay({ aggregate: 'Payment', id, toVersion: 1 }));
  show(`at ${completedAt}`, await store.replay({ aggregate: 'Payment', id, until: completedAt }));
  show('now', await store.replay({ aggregate: 'Payment', id }));

  title(`A11  A report of all payments at ${completedAt}, and one of now`);
  report(await execute<typeof paymentReport>('paymentReport', { until: completedAt }));
  say('  ---');
  report(await execute<typeof paymentReport>('paymentReport', {}));
}
