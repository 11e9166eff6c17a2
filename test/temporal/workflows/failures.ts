import { condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { VersionConflictError, DomainError, isEventStoreError } from 'temporal-event-store';
import { proxyEventStore, proxyRepository } from 'temporal-event-store/workflow';
import { Account } from '../../support/account.js';

const store = proxyEventStore();
const accounts = proxyRepository(Account);

/** Each throws in its own way; nobody catches. */
const uncaught = {
  conflict: () => store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectedVersion: 7 }),
  invalidEvent: () => store.appendToStream('Account-1', [{ type: 'Opened', data: { at: new Date(0) } }]),
  invalidArgument: () => store.readStream(''),
  ruleInExecute: (id: string) => accounts.execute(id, (account) => account.withdraw(5)),
  ruleInWorkflow: async (id: string) => {
    const account = await accounts.load(id);
    account.withdraw(5);
  },
  ruleOfTheWorkflow: () => {
    throw new DomainError('Not on a Sunday', { reason: 'CLOSED', details: ['é', { 日: 1 }] });
  },
} as const;

export async function failUncaught(kind: keyof typeof uncaught, id: string): Promise<void> {
  await uncaught[kind](id);
}

export async function failInUpdate(id: string): Promise<number> {
  let isDone = false;
  setHandler(withdraw, async (amount) => {
    const { result } = await accounts.execute(id, (account) => account.withdraw(amount));
    return result ?? 0;
  });
  setHandler(finish, () => {
    isDone = true;
  });
  await condition(() => isDone);
  return (await accounts.load(id)).balance;
}
export const withdraw = defineUpdate<number, [number]>('withdraw');
export const finish = defineSignal('finish');

/** A workflow that expects the error sees it typed. */
export async function catchTyped(): Promise<object> {
  try {
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectedVersion: 7 });
    return {};
  } catch (error) {
    return {
      isTyped: error instanceof VersionConflictError,
      isKnown: isEventStoreError(error, 'VERSION_CONFLICT'),
      isOther: isEventStoreError(error, 'STORE_UNAVAILABLE'),
      actualVersion: (error as VersionConflictError).actualVersion,
    };
  }
}
