import { AggregateRoot, DomainError } from 'temporal-event-store';

export type AccountEvent =
  | { readonly type: 'Deposited'; readonly data: { readonly amount: number } }
  | { readonly type: 'Withdrawn'; readonly data: { readonly amount: number } };

export class Account extends AggregateRoot<AccountEvent> {
  static readonly category = 'Account';
  balance = 0;

  deposit(amount: number): void {
    this.raise({ type: 'Deposited', data: { amount } });
  }

  withdraw(amount: number): number {
    if (amount > this.balance) throw new DomainError('Too little is left', { reason: 'INSUFFICIENT_FUNDS' });
    this.raise({ type: 'Withdrawn', data: { amount } });
    return this.balance;
  }

  protected apply(event: AccountEvent): void {
    this.balance += event.type === 'Deposited' ? event.data.amount : -event.data.amount;
  }
}
