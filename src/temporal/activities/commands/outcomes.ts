import { lastPosition } from '../../../core/aggregates/stored-commit.js';
import { findEventStoreError, isRetryable } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';
import type { DomainEvent } from '../../../core/events/event.js';
import type { AppendResult } from '../../../core/store/event-store.js';
import { describeError } from '../../../core/values/describe-error.js';
import type { CommandOutcome } from '../../shared/command-lane.js';
import { toErrorMessage } from '../../shared/error-message.js';

/**
 * The outcome of a command that stored these events.
 *
 * @param events of all parts, in their order
 * @param parts for each stream that it appended to, its own first
 */
export function committedOutcome(
  events: readonly Pick<DomainEvent, 'type'>[],
  parts: readonly AppendResult[],
  deduplicated: boolean,
): CommandOutcome {
  const [own] = parts as readonly [AppendResult];
  return {
    kind: 'committed',
    version: own.version,
    position: lastPosition(parts),
    types: events.map(({ type }) => type),
    eventIds: parts.flatMap(({ eventIds }) => eventIds),
    deduplicated,
  };
}

/**
 * The outcome of a command that changed nothing.
 *
 * @param position up to which it was decided
 */
export function unchangedOutcome(version: number, position: number): CommandOutcome {
  return { kind: 'committed', version, position, types: [], eventIds: [], deduplicated: false };
}

/** The outcome of a command of which nothing was stored. */
export function failure(error: EventStoreError): CommandOutcome {
  return { kind: error.code === 'DOMAIN_ERROR' ? 'rejected' : 'failed', error: toErrorMessage(error) };
}

/** The outcome when the store gives no answer: the command may or may not be stored. */
export function unanswered(error: unknown): CommandOutcome {
  const ours =
    findEventStoreError(error) ?? new StoreUnavailableError(`The store failed with ${describeError(error)}`);
  return { kind: 'open', reason: isTooNew(ours) ? 'unknown' : 'store', error: toErrorMessage(ours) };
}

/** The outcome of an unknown command: a worker of another release may know it. */
export function unknownHere(error: EventStoreError): CommandOutcome {
  return { kind: 'open', reason: 'unknown', error: toErrorMessage(error) };
}

/** Whether a command may yet go through after this error: the store gave no answer, or a newer worker knows the event. */
export function isOpen(error: unknown): boolean {
  return isRetryable(error) || isTooNew(error);
}

function isTooNew(error: unknown): boolean {
  return findEventStoreError(error)?.code === 'EVENT_TOO_NEW';
}

/** Errors that need an operator and aren't the fault of the appended events. */
const faultsOfStore: readonly string[] = ['STORE_ACCESS_DENIED', 'STORE_CORRUPTED', 'SCHEMA_OUTDATED'];

/** Whether an error concerns the store, and not the command that met it. */
export function concernsStore(error: EventStoreError): boolean {
  return isOpen(error) || faultsOfStore.includes(error.code);
}
