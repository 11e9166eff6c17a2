import { frozenEvent } from '../events/copy-event.js';
import type { EventToAppend } from '../events/event.js';
import { invalidEvent } from '../store/append/prepare-events.js';
import { markStoredForm, storedFormKey, type StoredForm } from '../store/append/stored-form.js';
import { isPromise, whenKnown } from '../values/is-promise.js';
import { findJsonFault, isObject } from '../values/json.js';
import { validateEvent, type EventRegistry } from './event-registry.js';

type Made = EventToAppend | Promise<EventToAppend>;

/**
 * What the schemas of a registry have made: of which event, or of which data (of its own, and frozen, so it is still that). A
 * schema may change also what it made itself, so it isn't applied to that.
 */
const madeBy = new WeakMap<EventRegistry, WeakMap<object, Made>>();

/**
 * Makes events into what is stored, by the schemas of a registry and then by what the store below does.
 */
export function storedFormBy(registry: EventRegistry, below: StoredForm | undefined): StoredForm {
  return (event, path) => {
    if (!isObject(event)) return event;
    const earlier = findMade(registry, event);
    if (earlier !== undefined) return earlier;
    const made = whenKnown(validateEvent(registry, event, path), (validated) =>
      whenKnown(below === undefined ? asJson(validated, path) : below(validated, path), (stored) => {
        keep(registry, storedFormKey(stored), stored);
        markStoredForm(stored);
        return stored;
      }),
    );
    // So that it is asked only once. What may still be changed could be another event by then.
    if (isPromise(made) && Object.isFrozen(event)) keep(registry, event, made);
    return made;
  };
}

/** What the registry has made of this event; the event itself if it is the registry's result. */
export function findMade(registry: EventRegistry, event: EventToAppend): Made | undefined {
  const known = madeBy.get(registry);
  if (known === undefined || !isObject(event)) return undefined;
  const made = known.get(event) ?? known.get(storedFormKey(event));
  if (made === undefined || isPromise(made) || made === event) return made;
  // A decorator may have given it other tags, or another type; then it is another event.
  const { type, schemaVersion } = made;
  const isSame = event.type === type && (event.schemaVersion ?? schemaVersion) === schemaVersion;
  return isSame ? { ...event, ...(schemaVersion !== undefined && { schemaVersion }) } : undefined;
}

function keep(registry: EventRegistry, key: object, made: Made): void {
  const known = madeBy.get(registry);
  if (known === undefined) madeBy.set(registry, new WeakMap([[key, made]]));
  else known.set(key, made);
}

function asJson(event: EventToAppend, path: string): EventToAppend {
  const stored = frozenEvent(event);
  // What was copied is JSON.
  const fault = stored.data === event.data ? findJsonFault(event.data) : undefined;
  if (fault !== undefined) throw invalidEvent(`${path}.data${fault.path}`, fault.problem);
  return stored;
}
