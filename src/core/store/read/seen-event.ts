import { PositionAheadOfStoreError } from '../../errors/store-errors.js';
import type { AllSlice } from '../event-store.js';
import type { StoredReads } from './stored-reads.js';

/** An event that a reader has seen. A store that has lost its last events, as in a failover, no longer has it. */
export interface SeenEvent {
  readonly position: number;
  readonly id: string;
}

/** Position and id of an event; the event itself may be large. */
export function seen({ position, id }: SeenEvent): SeenEvent {
  return { position, id };
}

/** What a store has at the place of an event, and whether that is the event. */
export async function lookFor(
  stored: StoredReads,
  { position, id }: SeenEvent,
): Promise<{ readonly slice: AllSlice; readonly isThere: boolean }> {
  const slice = await stored.readAll({ after: position - 1, limit: 1 });
  return { slice, isThere: slice.events[0]?.id === id };
}

/** Names the reader that has seen an event, and what to do when the store has lost it. */
export interface Witness {
  /** As in "which the projection has seen". */
  readonly which: string;
  readonly advice: string;
}

/**
 * A primary that was lost with its last commits gives their positions to other events, which a reader that went on
 * would miss.
 *
 * @param storeId of the store that the event was seen in. The next page shows whether it is another store.
 * @throws PositionAheadOfStoreError
 */
export async function assertStillThere(
  stored: StoredReads,
  event: SeenEvent | undefined,
  storeId: string | undefined,
  witness: Witness,
): Promise<void> {
  if (event === undefined) return;
  const { slice, isThere } = await lookFor(stored, event);
  if (!isThere && slice.storeId === storeId) throw lostEvent(event, slice, witness);
}

/** @param slice of the store that has lost it */
export function lostEvent(
  { position, id }: SeenEvent,
  { storeId, position: lastPosition }: AllSlice,
  { which, advice }: Witness,
): PositionAheadOfStoreError {
  return new PositionAheadOfStoreError(
    `The event ${id} at position ${position}, which ${which}, is no longer in the store ${storeId}: it has lost events, as in a ` +
      `failover to a standby that lagged behind, and positions were given to others. Call rotateStoreId() of the store, ${advice}.`,
    { position, storeId, lastPosition },
  );
}
