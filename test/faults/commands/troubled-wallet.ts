import { setTimeout as delay } from 'node:timers/promises';
import { Wallet, type WalletEvent } from '../../support/wallet.js';

/** Milliseconds; a batch waits for one second. */
const slowness = 3_000;
const blockade = 1_500;

/** A wallet that troubles its lane mates: one by its slowness, one by computing without a pause, and one that no event can be applied to. */
export class TroubledWallet extends Wallet {
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- a lane awaits what a command returns
  override async deposit(payload: { amount: number }): Promise<void> {
    if (this.id === 'slow') await delay(slowness);
    if (this.id === 'blocking') for (const began = performance.now(); performance.now() - began < blockade;);
    super.deposit(payload);
  }

  protected override apply(event: WalletEvent): void {
    if (this.id === 'broken') throw new TypeError('No wallet of this kind');
    super.apply(event);
  }
}

/** The release before, which knows nothing of withdrawals. */
export class WalletBefore extends Wallet {
  static override readonly commands = { ...Wallet.commands, withdraw: false } as never;
}
