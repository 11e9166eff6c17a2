import {
  AggregateRoot,
  DomainError,
  streamId,
  type Decider,
  type DomainCommand,
  type DomainEvent,
} from 'temporal-event-store';

export type MoneyEvent =
  DomainEvent<'Deposited', { readonly cents: number }> | DomainEvent<'Withdrawn', { readonly cents: number }>;

export interface Transfer {
  readonly cents: number;
  readonly to: string;
}

const commands = { transfer: true } as const;

export const deposited = (cents: number): MoneyEvent => ({ type: 'Deposited', data: { cents } });
const withdrawn = (cents: number): MoneyEvent => ({ type: 'Withdrawn', data: { cents } });
const deposit = (category: string, { cents, to }: Transfer) => ({
  streamId: streamId(category, to),
  events: [deposited(cents)],
});

function assertEnough(cents: number, balance: number): void {
  if (cents > balance) throw new DomainError('Not enough', { reason: 'INSUFFICIENT_FUNDS' });
}

/** A class with a command that appends to the stream of another one, too. */
export class Purse extends AggregateRoot<MoneyEvent> {
  static readonly category = 'Purse';
  static readonly commands = commands;
  cents = 0;

  transfer(transfer: Transfer): void {
    assertEnough(transfer.cents, this.cents);
    this.raise(withdrawn(transfer.cents));
    this.alsoAppend(deposit('Purse', transfer));
  }

  protected apply({ type, data }: MoneyEvent): void {
    this.cents += type === 'Deposited' ? data.cents : -data.cents;
  }
}

/** The same as a decider. */
export const vault = {
  category: 'Vault',
  commands,
  initialState: () => ({ cents: 0 }),
  evolve: ({ cents }, { type, data }) => ({
    cents: cents + (type === 'Deposited' ? data.cents : -data.cents),
  }),
  decide({ cents }, { data }) {
    assertEnough(data.cents, cents);
    return [withdrawn(data.cents), deposit('Vault', data)];
  },
} satisfies Decider<{ readonly cents: number }, DomainCommand<'transfer', Transfer>, MoneyEvent>;
