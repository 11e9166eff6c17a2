import { proxyActivities } from '@temporalio/workflow';

export * from 'temporal-event-store/workflows';

const { greet } = proxyActivities<{ greet(name: string): Promise<string> }>({
  startToCloseTimeout: '5 seconds',
});

export async function greeting(name: string): Promise<string> {
  return greet(name);
}
