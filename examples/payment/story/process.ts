import { idempotencyKey } from '../process/payment-provider.js';
import type { PaymentRequest } from '../process/payment-request.js';
import { PaymentWorkflowService } from '../process/payment-workflow-service.js';
import { TemporalClientFactory } from '../process/temporal-client-factory.js';
import { paymentWorkflowId } from '../process/workflow-options.js';
import type { Stage } from './stage.js';

/** Payments from validation to notification, with money at a provider, a mailbox and a webhook. */
export async function processes({
  address,
  taskQueue,
  outside,
  payment,
  title,
  say,
  ...stage
}: Stage): Promise<void> {
  const { provider, mailbox, receiver } = outside;
  title('B3, B7  A client by host, port and namespace');
  const { hostname: host, port } = new URL(`tcp://${address}`);
  const clients = new TemporalClientFactory({
    host,
    port: Number(port),
    namespace: stage.client.options.namespace,
  });
  const service = new PaymentWorkflowService({ client: await clients.createClient(), taskQueue });
  say(`  connected to ${host}:${port}`);
  // A Temporal server that outlives the store knows the payments of the runs before, and would join them. And
  // the first is to be one that the provider doesn't decline.
  let run = '';
  const idOf = (number: number): string => `${payment(number)}-${run}`;
  do run = crypto.randomUUID().slice(0, 4);
  while (provider.declines(idempotencyKey(idOf(9), 'authorise')));
  const request = (number: number, changes: Partial<PaymentRequest> = {}): PaymentRequest => ({
    paymentId: idOf(number),
    correlationId: `case-${payment(number)}`,
    organizationId: 'org-456',
    userId: 'user-789',
    amount: { minorUnits: 12_000, currency: 'EUR' },
    description: `Invoice for ${payment(number)}`,
    email: 'payer@example.com',
    ...changes,
  });
  const process = async (sent: PaymentRequest): Promise<void> => {
    const { success, message } = await service.process(sent);
    say(`  ${sent.paymentId} → ${success ? message : `refused: ${message}`}`);
  };

  title('B1, B2  A payment from validation to notification');
  const first = request(9);
  await process(first);
  for (const { subject, to } of mailbox.mails) say(`  e-mail to ${to.join()}: ${subject}`);
  for (const { type, id } of receiver.webhooks) say(`  webhook ${type}, signed, id ${id.slice(0, 25)}…`);

  title('B2  What is not valid is refused');
  await process(request(10, { amount: { minorUnits: 0, currency: 'EUR' } }));
  await process(request(11, { organizationId: 'org-000' }));

  title('B4, B8  Asked again it is not charged again, and tells how it stands');
  await process(first);
  say(`  ${provider.charges.length} charge at the provider`);
  const { workflowId, status } = await service.status(paymentWorkflowId(first.paymentId));
  say(`  workflow ${workflowId}: ${status}`);
  await clients.close();
}
