import type { EventStore } from './event-store.js';

/**
 * Marks the store of a workflow: each call of it is an activity, and a pause between two would be a timer in the
 * workflow's history. A symbol, so that decorators pass it on.
 */
export const paced = Symbol.for('temporal-event-store/paced');

/** Whether Temporal decides when the calls of the store are made. */
export function isPaced(store: EventStore): boolean {
  return (store as { readonly [paced]?: boolean })[paced] === true;
}
