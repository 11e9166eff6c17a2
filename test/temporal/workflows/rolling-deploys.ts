import { proxyAggregateClient } from 'temporal-event-store/workflow';

export * from 'temporal-event-store/workflows';

const accounts = proxyAggregateClient({ category: 'Account' });
const invoices = proxyAggregateClient({ category: 'Invoice' });

export async function sendToBoth(id: string): Promise<readonly number[]> {
  const closed = await accounts.execute(id, 'close');
  const opened = await invoices.execute(id, 'open');
  return [closed.version, opened.version];
}
