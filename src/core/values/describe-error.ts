import { describeValue } from './describe-value.js';

/** What was thrown, in a message: `TypeError: …` for an error. Never throws, whatever that is. */
export function describeError(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return describeValue(thrown);
  }
}
