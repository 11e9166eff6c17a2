import { createHash } from 'node:crypto';
import type { DomainEvent } from 'temporal-event-store';

interface Email {
  readonly user: string;
  /** Of the address, by {@link emailKey}. */
  readonly key: string;
}
export type EmailTaken = DomainEvent<'EmailTaken', Email>;
export type EmailReleased = DomainEvent<'EmailReleased', Email>;
export type EmailEvent = EmailTaken | EmailReleased;

/**
 * Stands for an address in events, tags and ids of streams: the same for all its spellings. Events are kept for ever; the address itself is kept
 * where it can be erased. (Who must not be able to try addresses takes an HMAC with a secret.)
 */
export function emailKey(address: string): string {
  return createHash('sha256').update(address.trim().toLowerCase()).digest('hex').slice(0, 32);
}
