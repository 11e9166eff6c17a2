import { DomainError, type Decider, type DomainCommand } from 'temporal-event-store';
import {
  accountStream,
  assertTransfer,
  balanceAfter,
  ofAccount,
  type AccountEvent,
  type Transfer,
} from './account-event.js';

/**
 * The plain way: an account that also appends to another one. Both events are stored, or none of them. The rules are those of the
 * payer's account; of the payee's it knows nothing, so it waits for nobody who pays the same payee.
 */
export const accountDecider: Decider<number, DomainCommand<'Transfer', Transfer>, AccountEvent> = {
  category: 'Account',
  initialState: () => 0,
  evolve: balanceAfter,
  decide(balance, { data: { from, to, cents } }) {
    assertTransfer({ from, to, cents });
    if (balance < cents) throw new DomainError('Not enough money', { reason: 'OVERDRAWN' });
    return [
      ofAccount(from, { type: 'Withdrawn', data: { cents } }),
      {
        streamId: accountStream(to),
        // The one thing that it can ask of the payee without reading it.
        expectedVersion: 'streamExists',
        events: [ofAccount(to, { type: 'Deposited', data: { cents } })],
      },
    ];
  },
};
