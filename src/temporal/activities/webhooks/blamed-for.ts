/** `time`: the fault may pass by itself. `endpoint`: every event gets this answer until the endpoint is corrected. */
export type Blamed = 'nobody' | 'time' | 'endpoint' | 'event';

/** Timeout, too early, too many requests. */
const retryable = [408, 425, 429];
/** Statuses about the content of a message: malformed, in conflict, too large, not acceptable. */
const aboutContent = [400, 409, 413, 422];

/**
 * Decides what to blame for a status that isn't a delivery. A redirect blames the event, since following it, or
 * waiting, would hide that the address is wrong.
 */
export function blamedFor(status: number): Blamed {
  if (status >= 200 && status < 300) return 'nobody';
  if (retryable.includes(status) || status >= 500) return 'time';
  return status >= 400 && !aboutContent.includes(status) ? 'endpoint' : 'event';
}
