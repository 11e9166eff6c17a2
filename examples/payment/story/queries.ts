import { TemporalEventStore } from 'temporal-event-store/client';
import { formatMoney } from '../domain/money.js';
import type {
  HistoryEntry,
  paymentHistory,
  paymentTimeline,
  searchPaymentEvents,
} from '../queries/payment-queries.js';
import type { Stage } from './stage.js';

/** What happened, looked at by payment, type, time and case; and a state from long ago. */
export async function queries({ client, taskQueue, payment, execute, title, say }: Stage): Promise<void> {
  const show = (entries: readonly HistoryEntry[]): void => {
    for (const { timestamp, eventType, paymentId, data, metadata } of entries) {
      const what = 'organizationId' in data ? `${formatMoney(data.amount)}  ${data.organizationId}` : '';
      say(`  ${timestamp}  ${eventType}  ${paymentId}  ${what}  by ${metadata.actor ?? '?'}`);
    }
  };

  title(`A9  History of ${payment(1)}`);
  show(await execute<typeof paymentHistory>('paymentHistory', payment(1)));

  title('A9  PaymentProcessed events of the last hour');
  const from = new Date(Date.now() - 3_600_000).toISOString();
  show(
    await execute<typeof searchPaymentEvents>('searchPaymentEvents', { eventType: 'PaymentProcessed', from }),
  );

  title(`A9  Timeline of the case of ${payment(2)} (by its correlation id)`);
  show(await execute<typeof paymentTimeline>('paymentTimeline', `case-${payment(2)}`));

  title('The same store, from a service that has a Temporal client and no database');
  const remote = new TemporalEventStore({ client, taskQueue });
  const { total, streams } = await remote.statistics();
  say(`  ${total} events in ${streams} streams`);
  const { version, state } = await remote.replay({ aggregate: 'Payment', id: payment(3) });
  say(`  ${payment(3)} replayed to version ${version}: ${JSON.stringify(state)}`);
}
