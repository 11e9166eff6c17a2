import type { EventToAppend } from '../../events/event.js';
import { isObject } from '../../values/json.js';
import type { EventStore } from '../event-store.js';

/**
 * The member of a store that changes events before it stores them, as `withEvents` does. A symbol, so that decorators
 * that spread a store pass it on.
 */
export const storedForm = Symbol.for('temporal-event-store/stored-form');

/**
 * Returns the event as it will be stored: a frozen copy. Synchronous if the schemas are. Given its own result, it
 * returns that, and the store appends it as it is.
 *
 * @param path of the event, for errors
 * @throws InvalidEventError
 */
export type StoredForm = (event: EventToAppend, path: string) => EventToAppend | Promise<EventToAppend>;

/** A store may have it. */
export interface HasStoredForm {
  readonly [storedForm]?: StoredForm;
}

/** How the store changes events before it stores them; undefined if it stores them as they are. */
export function storedFormOf(store: EventStore): StoredForm | undefined {
  return (store as EventStore & HasStoredForm)[storedForm];
}

/** What schemas have made: frozen data, or events whose data is no object. */
const made = new WeakSet<object>();

export function markStoredForm(event: EventToAppend): void {
  made.add(storedFormKey(event));
}

/** Whether schemas have made this event, or its data. */
export function isStoredForm(event: EventToAppend): boolean {
  return made.has(storedFormKey(event));
}

/** The object that identifies an event in its stored form: a decorator may make another event around the same data. */
export function storedFormKey(event: EventToAppend): object {
  return isObject(event.data) ? event.data : event;
}
