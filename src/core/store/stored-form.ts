import type { EventToAppend } from '../events/event.js';
import { isObject } from '../values/json.js';
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

/** What schemas have made: frozen data, or events whose data is no object. */
const made = new WeakSet<object>();

export function markStoredForm(event: EventToAppend): void {
  made.add(storedFormKey(event));
}

/** Whether schemas have made this event, or the data that somebody has put into another one. */
export function isStoredForm(event: EventToAppend): boolean {
  return made.has(storedFormKey(event));
}

/** What an event in its stored form is known by: a decorator may make another event around the same data. */
export function storedFormKey(event: EventToAppend): object {
  return isObject(event.data) ? event.data : event;
}
