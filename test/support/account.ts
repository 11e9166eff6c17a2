import { AggregateRoot, DomainError, type Decider, type DomainEvent } from 'temporal-event-store';

export type AccountEvent =
  | DomainEvent<'Opened', { readonly owner: string }>
  | DomainEvent<'Deposited', { readonly amount: number }>
  | DomainEvent<'Withdrawn', { readonly amount: number }>;

/** An account that can't be overdrawn. */
export class Account extends AggregateRoot<AccountEvent> {
  static readonly category = 'Account';
  owner = '';
  balance = 0;

  open(owner: string): void {
    if (this.owner !== '') throw new DomainError('The account is open already', { reason: 'ALREADY_OPEN' });
    this.raise({ type: 'Opened', data: { owner } });
  }

  deposit(amount: number): number {
    this.raise({ type: 'Deposited', data: { amount } });
    return this.balance;
  }

  withdraw(amount: number): number {
    if (amount > this.balance) {
      throw new DomainError(`Only ${this.balance} € are left`, {
        reason: 'INSUFFICIENT_FUNDS',
        details: { missing: amount - this.balance },
      });
    }
    this.raise({ type: 'Withdrawn', data: { amount } });
    return this.balance;
  }

  protected apply(event: AccountEvent): void {
    switch (event.type) {
      case 'Opened':
        this.owner = event.data.owner;
        break;
      case 'Deposited':
        this.balance += event.data.amount;
        break;
      case 'Withdrawn':
        this.balance -= event.data.amount;
        break;
    }
  }
}

export type Count = { readonly type: 'Count'; readonly data: { readonly by: number } };
export type Counted = DomainEvent<'Counted', { readonly by: number }>;

export const counter: Decider<{ readonly total: number }, Count, Counted> = {
  category: 'Counter',
  initialState: () => ({ total: 0 }),
  evolve: (state, event) => ({ total: state.total + event.data.by }),
  decide: (_state, command) => [{ type: 'Counted', data: { by: command.data.by } }],
};
