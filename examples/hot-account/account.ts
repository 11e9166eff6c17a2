import { AggregateRoot, type DomainEvent } from 'temporal-event-store';
import { z } from 'zod';

type Deposited = DomainEvent<'Deposited', { readonly amount: number }>;

/** An account that takes deposits. */
export class Account extends AggregateRoot<Deposited> {
  static readonly category = 'Account';
  static readonly commands = { deposit: z.object({ amount: z.number().int().positive() }) };

  balance = 0;

  deposit({ amount }: { amount: number }): void {
    this.raise({ type: 'Deposited', data: { amount } });
  }

  protected apply({ data }: Deposited): void {
    this.balance += data.amount;
  }
}
