import { withTimeLimit } from '../values/time-limit.js';
import { unlessAborted } from '../values/unless-aborted.js';

/** Milliseconds after which a command that is at work lets the next one begin: it may be slow, or hang. */
const longestTurn = 1_000;

interface Turn {
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}

/** By store, the last turn of each key that has one. */
const turns = new WeakMap<object, Map<string, Turn>>();

/**
 * Runs a change after those that this process is making and that have one of the keys, too: side by side, all but one
 * would load and decide in vain. For each key it waits for no other change longer than a second.
 *
 * @throws the reason of the signal, when it aborts before the change has begun
 */
export function inTurn<T>(
  store: object,
  keys: readonly string[],
  run: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  // In the same order everywhere: so two changes never wait for each other.
  const sorted = [...new Set(keys)].sort();
  const inAll = sorted.reduceRight((inner, key) => () => inTurnOf(store, key, inner, signal), run);
  return inAll();
}

async function inTurnOf<T>(
  store: object,
  key: string,
  run: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const ofStore = turns.get(store) ?? new Map<string, Turn>();
  turns.set(store, ofStore);
  const before = ofStore.get(key);
  let begin: () => void = () => undefined;
  let end: () => void = () => undefined;
  const turn: Turn = {
    begun: new Promise((resolve) => (begin = resolve)),
    ended: new Promise((resolve) => (end = resolve)),
  };
  ofStore.set(key, turn);
  const leave = (): void => {
    end();
    if (ofStore.get(key) === turn) ofStore.delete(key);
  };
  if (before !== undefined) {
    const called = afterTurn(before);
    try {
      await (signal === undefined ? called : unlessAborted(signal, () => called));
    } catch (error) {
      // Those behind it go on waiting for those before it.
      void called.then(begin).then(leave);
      throw error;
    }
  }
  begin();
  try {
    return await run();
  } finally {
    leave();
  }
}

async function afterTurn({ begun, ended }: Turn): Promise<void> {
  await begun;
  await withTimeLimit(longestTurn, ended, () => undefined);
}
