/** A command of the run. */
export interface WalletCommand {
  readonly commandId: string;
  /** Of the wallet. */
  readonly id: string;
  readonly name: 'deposit' | 'withdraw';
  readonly amount: number;
}

const coldWallets = 50;

/** The command of this number, the same in each run: two of three go to the hot wallet, half of all can be rejected. */
export function commandOf(number: number): WalletCommand {
  const random = randomsOf(number);
  return {
    commandId: `command-${number}`,
    id: random() < 2 / 3 ? 'hot' : `cold-${1 + Math.floor(random() * coldWallets)}`,
    name: random() < 0.5 ? 'deposit' : 'withdraw',
    amount: 1 + Math.floor(random() * 100),
  };
}

/** Mulberry32. */
function randomsOf(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
