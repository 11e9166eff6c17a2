import type { Decider, DomainEvent } from 'temporal-event-store';
import type { EventData } from '../contenders/contender.js';

interface Deposit {
  readonly type: 'deposit';
  readonly data: EventData;
}
type Deposited = DomainEvent<'Deposited', EventData>;

/** What all contenders decide with. A decider, because it needs no import, neither in a workflow nor here. */
export const account = {
  category: 'Account',
  commands: { deposit: true },
  initialState: () => ({ balance: 0 }),
  evolve: ({ balance }, { data }) => ({ balance: balance + Number(data['amount']) }),
  decide: (_state, { data }) => [{ type: 'Deposited', data }],
} satisfies Decider<{ readonly balance: number }, Deposit, Deposited>;
