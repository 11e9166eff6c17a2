import { DomainError, streamId, type DomainEvent, type EventToAppend } from 'temporal-event-store';

/** `limit`: the most that may be on the account. Amounts are in whole cents. */
type AccountOpened = DomainEvent<'AccountOpened', { readonly limit: number }>;
type Deposited = DomainEvent<'Deposited', { readonly cents: number }>;
type Withdrawn = DomainEvent<'Withdrawn', { readonly cents: number }>;
export type AccountEvent = AccountOpened | Deposited | Withdrawn;

export function accountStream(account: string): string {
  return streamId('Account', account);
}

/** Whoever appends to an account gives the event its tag: a decision doesn't see what has none. */
export function ofAccount<E extends AccountEvent>(account: string, event: E): EventToAppend<E> {
  return { ...event, tags: [`account:${account}`] };
}

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

/** What a balance is after an event. */
export function balanceAfter(balance: number, event: AccountEvent): number {
  switch (event.type) {
    case 'AccountOpened':
      return balance;
    case 'Deposited':
      return balance + event.data.cents;
    case 'Withdrawn':
      return balance - event.data.cents;
  }
}

/** What no transfer may be, whatever the accounts. */
export function assertTransfer({ from, to, cents }: Transfer): void {
  if (from === to) throw new DomainError('The accounts are the same', { reason: 'SAME_ACCOUNT' });
  if (Number.isInteger(cents) && cents > 0) return;
  throw new DomainError(`${cents} is no amount of cents`, { reason: 'INVALID_AMOUNT' });
}
