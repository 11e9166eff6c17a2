import { withTimeLimit } from '../values/time-limit.js';

/** Milliseconds after which a command that is at work lets the next one begin: it may be slow, or hang. */
const longestTurn = 1_000;

interface Turn {
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}

/** By store, the last turn of each stream that has one. */
const turns = new WeakMap<object, Map<string, Turn>>();

/**
 * Runs a change of a stream after the one that this process is making: side by side, all but one would load and decide
 * in vain. It waits for no other change longer than a second.
 */
export async function inTurn<T>(store: object, streamId: string, run: () => Promise<T>): Promise<T> {
  const ofStore = turns.get(store) ?? new Map<string, Turn>();
  turns.set(store, ofStore);
  const before = ofStore.get(streamId);
  let begin: () => void = () => undefined;
  let end: () => void = () => undefined;
  const turn: Turn = {
    begun: new Promise((resolve) => (begin = resolve)),
    ended: new Promise((resolve) => (end = resolve)),
  };
  ofStore.set(streamId, turn);
  try {
    if (before !== undefined) await afterTurn(before);
    begin();
    return await run();
  } finally {
    end();
    if (ofStore.get(streamId) === turn) ofStore.delete(streamId);
  }
}

async function afterTurn({ begun, ended }: Turn): Promise<void> {
  await begun;
  await withTimeLimit(longestTurn, ended, () => undefined);
}
