import { randomUUID } from 'node:crypto';
import type { EventData, NewEvent } from '../contenders/contender.js';

/** Refs of events that are appended; those of `rows.ts` are lower. */
const firstRef = 1_000_000_000;

export type EventSource = () => NewEvent;

/** Events of about 200 bytes of data, with a correlation id and a tag. */
export function createEventSource(): EventSource {
  let ref = firstRef;
  return () => toEvent(++ref);
}

function toEvent(ref: number): NewEvent {
  return {
    id: randomUUID(),
    type: types[ref % types.length]!,
    data: toData(ref),
    metadata: { correlationId: `transfer-${ref >> 2}` },
    tags: [`branch:${ref % 1000}`],
  };
}

/** `rows.ts` writes the same in SQL. */
function toData(ref: number): EventData {
  return {
    ref,
    amount: ref % 100_000,
    currency: 'EUR',
    from: 'DE89370400440532013000',
    to: 'FR1420041010050500013M02606',
    reference: `Invoice 2026-${ref} of the past month`,
    channel: 'online',
    approved: true,
  };
}

export const types = ['Deposited', 'Withdrawn', 'TransferRequested', 'TransferCompleted'] as const;
