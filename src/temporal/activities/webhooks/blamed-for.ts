/** `time`: it may pass by itself. `endpoint`: any event would get this answer, until somebody puts the endpoint right. */
export type Blamed = 'nobody' | 'time' | 'endpoint' | 'event';

/** Timeout, too early, too many requests. */
const retryable = [408, 425, 429];
/** What a receiver says about the content of a message: malformed, in conflict, too large, not acceptable. */
const aboutContent = [400, 409, 413, 422];

/**
 * What is to blame for a status that is no delivery. A redirect blames the event, since following it, or waiting, would
 * hide that the address is wrong.
 */
export function blamedFor(status: number): Blamed {
  if (status >= 200 && status < 300) return 'nobody';
  if (retryable.includes(status) || status >= 500) return 'time';
  return status >= 400 && !aboutContent.includes(status) ? 'endpoint' : 'event';
}
