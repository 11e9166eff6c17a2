import { InvalidEventError } from '../errors/event-errors.js';
import { copyEvent } from '../events/copy-event.js';
import type { DomainEvent, EventToAppend } from '../events/event.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import type { StoredForm } from '../store/append/stored-form.js';
import { findDifference } from '../values/find-difference.js';
import { isPromise } from '../values/is-promise.js';

/** The events that an aggregate raised, as they will be stored. */
export interface RaisedEvents {
  readonly events: readonly EventToAppend[];
  /** Set when the aggregate applied another event than will be read: its state is not that of its stream. */
  readonly difference: InvalidEventError | undefined;
}

/**
 * The events of an aggregate as they will be stored. Usually they already have that form, because `raise` has asked the
 * store. They don't if a schema is asynchronous, or the aggregate was not loaded from this store.
 *
 * @throws InvalidEventError when one doesn't fit its schema, or another one was raised on a state that no replay gives
 */
export async function asRaised(
  form: StoredForm | undefined,
  raised: readonly EventToAppend[],
): Promise<RaisedEvents> {
  if (form === undefined) return { events: raised, difference: undefined };
  const events: EventToAppend[] = [];
  let difference: InvalidEventError | undefined;
  for (const [index, event] of raised.entries()) {
    const path = `events[${index}]`;
    const made = form(event, path);
    const stored = isPromise(made) ? await made : made;
    if (difference !== undefined) throw difference;
    events.push(stored);
    if (stored !== event) difference = differenceOf(event, stored, path);
  }
  return { events, difference };
}

function differenceOf(
  applied: EventToAppend,
  stored: EventToAppend,
  path: string,
): InvalidEventError | undefined {
  const found = findDifference(applied.data, stored.data);
  if (found === undefined) return undefined;
  const place = `${path}.data${found.path}`;
  return new InvalidEventError(
    `${place} would be stored as ${found.right}, where the aggregate has applied ${found.left}: its state is not that of its ` +
      `stream. Nothing was stored. An aggregate applies what is stored when it was loaded from the repository, and the schema ` +
      `of '${applied.type}' is synchronous.`,
    { path: place },
  );
}

/**
 * The events that a decider returned, as they will be stored.
 *
 * @param place of the list, for errors
 * @throws InvalidEventError when one doesn't fit its schema
 */
export async function asDecided<E extends DomainEvent>(
  form: StoredForm | undefined,
  decided: readonly EventToAppend<E>[],
  place = 'events',
): Promise<readonly EventToAppend<E>[]> {
  // From: map would step over a hole.
  const copies = Array.from(decided, (event) => copyEvent(event));
  if (form === undefined) return copies;
  return Promise.all(
    copies.map(async (event, index) => (await form(event, `${place}[${index}]`)) as EventToAppend<E>),
  );
}

/**
 * The parts of a commit as they will be stored, the command's own stream first.
 *
 * @param place of the first of them in the commit, for errors
 * @throws InvalidEventError when an event doesn't fit its schema
 */
export async function asDecidedAppends<E extends DomainEvent>(
  form: StoredForm | undefined,
  appends: readonly StreamAppend<E>[],
  place = 0,
): Promise<readonly StreamAppend<E>[]> {
  return Promise.all(
    appends.map(async ({ events, ...append }, index) => {
      const ordinal = place + index;
      const path = ordinal === 0 ? 'events' : `appends[${ordinal}].events`;
      return { ...append, events: await asDecided(form, events, path) };
    }),
  );
}
