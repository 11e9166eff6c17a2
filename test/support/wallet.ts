import { AggregateRoot, DomainError, type Decider, type DomainEvent } from 'temporal-event-store';
import { z } from 'zod';

export type WalletEvent =
  | DomainEvent<'Deposited', { readonly amount: number }>
  | DomainEvent<'Withdrawn', { readonly amount: number }>;

/** An aggregate with a command for each way in which one can end. */
export class Wallet extends AggregateRoot<WalletEvent> {
  static readonly category = 'Wallet';
  static readonly snapshotVersion = 1;
  static readonly commands = {
    deposit: z.object({ amount: z.number().int().positive() }),
    withdraw: z.object({ amount: z.number().int().positive() }),
    withdrawSlowly: true,
    check: true,
    fail: true,
    refuseLoudly: z.object({ length: z.number() }),
    raiseAndFail: true,
    raiseInvalid: true,
    unlisted: false,
  };
  balance = 0;

  deposit({ amount }: { amount: number }): void {
    this.raise({ type: 'Deposited', data: { amount } });
  }

  withdraw({ amount }: { amount: number }): void {
    if (amount > this.balance) {
      throw new DomainError(`Only ${this.balance} are left`, {
        reason: 'INSUFFICIENT_FUNDS',
        details: { balance: this.balance },
      });
    }
    this.raise({ type: 'Withdrawn', data: { amount } });
  }

  async withdrawSlowly(payload: { amount: number }): Promise<void> {
    await new Promise(setImmediate);
    this.withdraw(payload);
  }

  check(): void {
    if (this.balance < 0) throw new DomainError('Overdrawn');
  }

  fail(): void {
    (undefined as unknown as { method(): void }).method();
  }

  refuseLoudly({ length }: { length: number }): void {
    const details = { text: 'x'.repeat(length) };
    throw new DomainError('n'.repeat(length), { reason: 'LOUD', details });
  }

  raiseAndFail(): void {
    this.raise({ type: 'Deposited', data: { amount: 1_000_000 } });
    throw new DomainError('After all, no');
  }

  raiseInvalid(): void {
    this.raise({ type: 'Deposited', data: { amount: NaN } });
  }

  unlisted(): void {
    this.raise({ type: 'Deposited', data: { amount: 1 } });
  }

  protected apply(event: WalletEvent): void {
    this.balance += event.type === 'Deposited' ? event.data.amount : -event.data.amount;
  }
}

type TallyCommand =
  | { readonly type: 'add'; readonly data: { readonly by: number } }
  | { readonly type: 'reset'; readonly data: undefined };
type TallyEvent = DomainEvent<'Added', { readonly by: number }> | DomainEvent<'Reset', Record<string, never>>;

/** The same as a decider, which decides asynchronously. */
export const tally = {
  category: 'Tally',
  commands: { add: z.object({ by: z.number() }), reset: true },
  initialState: () => ({ total: 0 }),
  evolve: (state, event) => ({ total: event.type === 'Added' ? state.total + event.data.by : 0 }),
  async decide(state, command) {
    await new Promise(setImmediate);
    if (command.type === 'reset') return state.total === 0 ? [] : [{ type: 'Reset', data: {} }];
    if (command.data.by === 0) throw new DomainError('Nothing to add');
    return [{ type: 'Added', data: { by: command.data.by } }];
  },
} satisfies Decider<{ readonly total: number }, TallyCommand, TallyEvent>;
