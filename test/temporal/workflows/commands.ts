import { isCancellation, type ActivityOptions } from '@temporalio/workflow';
import { findEventStoreError, isEventStoreError, type CommandReceipt } from 'temporal-event-store';
import { proxyAggregateClient } from 'temporal-event-store/workflow';

export * from 'temporal-event-store/workflows';

// By its category alone: the class, and the schemas of its commands, stay on the worker.
const wallets = proxyAggregateClient({ category: 'Wallet' });

export async function depositTwice(id: string): Promise<CommandReceipt[]> {
  return [
    await wallets.execute(id, 'deposit', { amount: 5 }, { metadata: { actor: 'workflow' } }),
    await wallets.execute(id, 'deposit', { amount: 6 }),
  ];
}

export async function withdrawOr(id: string): Promise<string> {
  try {
    await wallets.execute(id, 'withdraw', { amount: 1_000 });
    return 'done';
  } catch (error) {
    if (isEventStoreError(error, 'DOMAIN_ERROR')) return error.message;
    throw error;
  }
}

export async function failUncaught(id: string): Promise<void> {
  await wallets.execute(id, 'fail');
}

/** Says what comes of a command with these options of its activity. */
export async function depositWith(id: string, options: ActivityOptions): Promise<object> {
  const client = proxyAggregateClient({ category: 'Wallet' }, options);
  try {
    return await client.execute(id, 'deposit', { amount: 5 }, { commandId: 'the-deposit' });
  } catch (error) {
    const ours = findEventStoreError(error);
    return { ...(ours as object | undefined), message: ours?.message, isCancelled: isCancellation(error) };
  }
}
