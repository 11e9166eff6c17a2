import { isEventStoreError } from 'temporal-event-store';
import type { changePayment } from '../commands/change-payment.js';
import type { Stage } from './stage.js';

const details = {
  organizationId: 'org-456',
  amount: { minorUnits: 10_000, currency: 'EUR' },
  description: 'Invoice 7',
};
const reason = 'as the customer wished';

/** All that may happen to a payment. */
export async function life({ payments, payment, execute, title, say }: Stage): Promise<void> {
  const tell = async (id: string): Promise<void> => {
    const { version, state } = await payments.state(id);
    const { status, refunded } = state as { status: string; refunded: number };
    say(`  ${id} → ${status}${refunded > 0 ? `, ${refunded} cents refunded` : ''}, version ${version}`);
  };
  const begin = async (id: string): Promise<void> => {
    await payments.execute(id, 'initiate', details);
    await payments.execute(id, 'authorise', { authorisationId: `auth-${id}` });
  };

  title('A6, A8  The life of a payment by commands: to its end and partly back, cancelled, failed');
  const whole = payment(5);
  await begin(whole);
  await payments.execute(whole, 'capture');
  await payments.execute(whole, 'complete');
  await payments.execute(whole, 'refund', { amount: { minorUnits: 2_500, currency: 'EUR' }, reason });
  await tell(whole);
  const cancelled = payment(6);
  await begin(cancelled);
  await payments.execute(cancelled, 'cancel', { reason });
  await tell(cancelled);
  const failed = payment(7);
  await begin(failed);
  await payments.execute(failed, 'fail', { reason: 'The card has expired' });
  await tell(failed);
  await payments.execute(failed, 'capture').catch((error: unknown) => {
    if (!isEventStoreError(error, 'DOMAIN_ERROR')) throw error;
    say(`  ${error.message}`);
  });

  title('A7, A8  The same by a workflow over activities that load, save and publish');
  const result = await execute<typeof changePayment>('changePayment', {
    commandId: crypto.randomUUID(),
    paymentId: whole,
    command: 'refund',
    payload: { amount: { minorUnits: 7_500, currency: 'EUR' }, reason },
  });
  say(`  ${result.success ? `saved as version ${result.version}` : `refused: ${result.reason}`}`);
  await tell(whole);
}
