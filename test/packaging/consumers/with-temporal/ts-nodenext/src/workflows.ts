import { proxyRepository } from 'temporal-event-store/workflow';
import { Account } from './account.js';

export * from 'temporal-event-store/workflows';

const accounts = proxyRepository(Account);

export async function depositAndWithdraw(id: string, deposited: number, withdrawn: number): Promise<number> {
  await accounts.execute(id, (account) => {
    account.deposit(deposited);
  });
  const { result } = await accounts.execute(id, (account) => account.withdraw(withdrawn));
  return result ?? 0;
}
