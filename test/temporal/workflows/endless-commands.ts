import { proxyAggregateClient } from 'temporal-event-store/workflow';
export * from 'temporal-event-store/workflows';

const accounts = proxyAggregateClient(
  { category: 'Account' },
  { startToCloseTimeout: '5 seconds', retry: { initialInterval: '100 milliseconds' } },
);

export async function sendOnce(id: string, command: string): Promise<void> {
  await accounts.execute(id, command);
}
