import { findEventStoreError } from 'temporal-event-store';

/** What a call said, in a word: `done`, the reason of the rule that refused it, or the code of the error. */
export async function outcomeOf(call: Promise<unknown>, done = 'done'): Promise<string> {
  try {
    await call;
    return done;
  } catch (error) {
    const found = findEventStoreError(error);
    if (found === undefined) throw error;
    return `refused: ${found.code === 'DOMAIN_ERROR' ? found.reason : found.code}`;
  }
}

/** How often each was said, as `1 done, 49 refused: EMAIL_TAKEN`. */
export function tally(outcomes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
