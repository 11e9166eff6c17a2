import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { RecordedEvent } from '../events/event.js';
import type { EventFilter, EventStore, SettledPosition } from '../store/event-store.js';

/** How a state is folded from the events that a filter takes. */
export interface Fold<S> {
  readonly filter: readonly EventFilter[];
  create(): S;
  apply(state: S, event: RecordedEvent): S;
  readonly pageSize?: number | undefined;
  readonly pageBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A state, and the position up to which it holds all events that the filter takes. */
export interface FoldedState<S> {
  readonly state: S;
  readonly settled: SettledPosition;
}

/**
 * Reads to the end of the store.
 *
 * @param from an earlier state, which takes in what was appended since
 * @throws InvalidArgumentError when the store's reads don't say up to where they are complete
 * @throws PositionAheadOfStoreError when the store has lost what the earlier state was folded from
 */
export async function foldEvents<S>(
  store: EventStore,
  fold: Fold<S>,
  from?: FoldedState<S>,
): Promise<FoldedState<S>> {
  const { filter, pageSize, pageBytes, signal } = fold;
  let state = from === undefined ? fold.create() : from.state;
  let after = from?.settled.position ?? 0;
  let storeId = from?.settled.storeId;
  for (;;) {
    const slice = await store.readAll({
      filter,
      after,
      ...(pageSize !== undefined && { limit: pageSize }),
      ...(pageBytes !== undefined && { maxBytes: pageBytes }),
      ...(signal !== undefined && { signal }),
    });
    // Its id was rotated: what was read before may be lost, and its position be another event's.
    if (storeId !== undefined && slice.storeId !== storeId) return foldEvents(store, fold);
    for (const event of slice.events) state = fold.apply(state, event);
    ({ position: after, storeId } = slice);
    if (!slice.isEnd) continue;
    if (slice.settled !== undefined) return { state, settled: slice.settled };
    throw new InvalidArgumentError(
      `The store can't tell up to where its events are complete, so nothing can be decided on them: 'readAll' returns the end ` +
        `without 'settled'. Use a store of the library, or let the adapter return settledPosition(position, storeId).`,
    );
  }
}
