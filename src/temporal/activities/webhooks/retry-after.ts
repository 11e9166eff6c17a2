/** Most milliseconds to wait without a new attempt. */
const longest = 24 * 60 * 60_000;

/** Milliseconds that a `Retry-After` header asks for, in seconds or as a date; 0 without a valid header. */
export function retryAfterOf(header: string | null, now: number): number {
  if (header === null) return 0;
  const wanted = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(wanted) ? 0 : Math.min(Math.max(wanted, 0), longest);
}
