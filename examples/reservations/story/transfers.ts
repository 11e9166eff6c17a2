import { createCommandHandler, createDecisionHandler, iterateStream } from 'temporal-event-store';
import { accountDecider } from '../accounts/account-decider.js';
import { accountStream, balanceAfter, ofAccount, type AccountEvent } from '../accounts/account-event.js';
import { transfer } from '../accounts/transfer-decision.js';
import { outcomeOf, tally } from './outcome.js';
import type { Stage } from './stage.js';

/** Money moves in one commit; and which balances are looked at. */
export async function transfers({ store, named, title, say }: Stage): Promise<void> {
  const [payer, payee] = [named('payer'), named('payee')];
  const open = (account: string, cents: number, limit: number): Promise<unknown> =>
    store.appendToStream<AccountEvent>(
      accountStream(account),
      [
        ofAccount(account, { type: 'AccountOpened', data: { limit } }),
        ofAccount(account, { type: 'Deposited', data: { cents } }),
      ],
      { expectedVersion: 'noStream' },
    );
  const balance = async (account: string): Promise<string> => {
    let cents = 0;
    for await (const event of iterateStream<AccountEvent>(store, accountStream(account))) {
      cents = balanceAfter(cents, event);
    }
    return (cents / 100).toFixed(2);
  };
  const tellBalances = async (): Promise<void> => {
    say(`    payer ${await balance(payer)}, payee ${await balance(payee)}`);
  };
  await open(payer, 100_00, 1_000_00);
  await open(payee, 10_00, 50_00);

  title('A transfer is one commit of two streams. By a decision, the rules of both accounts hold');
  const deciding = createDecisionHandler(store, transfer);
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, () => outcomeOf(deciding.execute({ from: payer, to: payee, cents: 10_00 }))),
  );
  say(`  6 of 10.00 at once, to an account that takes 50.00 → ${tally(outcomes)}`);
  await tellBalances();

  title('By the payer’s aggregate, only the payer’s do; nobody waits for others who pay the same payee');
  const paying = createCommandHandler(store, accountDecider);
  const pay = (cents: number): Promise<string> =>
    outcomeOf(paying.execute(payer, { type: 'Transfer', data: { from: payer, to: payee, cents } }));
  say(`  500.00 → ${await pay(500_00)}`);
  say(`  20.00 → ${await pay(20_00)}: above the payee’s limit, which it doesn’t know`);
  await tellBalances();
}
