import type { EventToAppend } from '../events/event.js';
import type { EventStore } from './event-store.js';

/**
 * What a store has that changes events before it stores them, as `withEvents` does. By a symbol, so that decorators that spread
 * a store pass it on.
 */
export const storedForm = Symbol.for('temporal-event-store/stored-form');

/**
 * The event as it will be stored: frozen, and a copy. At once where that can be known at once. Given what it returned, it returns
 * that; and the store appends it as it is.
 *
 * @param path of the event, for errors
 * @throws InvalidEventError
 */
export type StoredForm = (event: EventToAppend, path: string) => EventToAppend | Promise<EventToAppend>;

/** A store may have it. */
export interface HasStoredForm {
  readonly [storedForm]?: StoredForm;
}

/** What the store makes of events before it stores them; undefined where it stores them as they are. */
export function storedFormOf(store: EventStore): StoredForm | undefined {
  return (store as EventStore & HasStoredForm)[storedForm];
}
