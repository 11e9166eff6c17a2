import type { EventStore } from './event-store.js';

/**
 * What the store of a workflow has: each call of it is an activity, and a pause between two would be a timer in the workflow's
 * history. By a symbol, so that decorators pass it on.
 */
export const paced = Symbol.for('temporal-event-store/paced');

/** Whether who uses the store leaves it to Temporal when its calls are made. */
export function isPaced(store: EventStore): boolean {
  return (store as { readonly [paced]?: boolean })[paced] === true;
}
