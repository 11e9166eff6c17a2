import { defineDecision, DomainError, type FilteredEvent } from 'temporal-event-store';
import {
  accountStream,
  assertTransfer,
  balanceAfter,
  ofAccount,
  type AccountEvent,
  type Transfer,
} from './account-event.js';

interface Account {
  readonly balance: number;
  /** undefined: there is no such account. */
  readonly limit?: number;
}

const types = ['AccountOpened', 'Deposited', 'Withdrawn'] as const;

/**
 * Moves money if the payer has it and the payee may have it. It depends on both accounts, so both rules hold, whoever else
 * moves money of either.
 */
export const transfer = defineDecision({
  name: 'transfer',
  home: ({ from }: Transfer) => accountStream(from),
  filter: ({ from, to }) => [from, to].map((account) => ({ types, tags: [`account:${account}`] })),
  initialState: (): { readonly payer: Account; readonly payee: Account } => ({
    payer: { balance: 0 },
    payee: { balance: 0 },
  }),
  evolve(state, event: FilteredEvent<AccountEvent>, { from }) {
    return event.streamId === accountStream(from)
      ? { ...state, payer: evolveAccount(state.payer, event) }
      : { ...state, payee: evolveAccount(state.payee, event) };
  },
  decide({ payer, payee }, { from, to, cents }) {
    assertTransfer({ from, to, cents });
    if (payee.limit === undefined) {
      throw new DomainError(`There is no account ${to}`, { reason: 'NO_ACCOUNT' });
    }
    if (payer.balance < cents) throw new DomainError('Not enough money', { reason: 'OVERDRAWN' });
    if (payee.balance + cents > payee.limit) {
      throw new DomainError('Too much for the payee', { reason: 'LIMIT_EXCEEDED' });
    }
    return [
      ofAccount(from, { type: 'Withdrawn', data: { cents } }),
      { streamId: accountStream(to), events: [ofAccount(to, { type: 'Deposited', data: { cents } })] },
    ];
  },
});

function evolveAccount(account: Account, event: AccountEvent): Account {
  if (event.type === 'AccountOpened') return { ...account, limit: event.data.limit };
  return { ...account, balance: balanceAfter(account.balance, event) };
}
