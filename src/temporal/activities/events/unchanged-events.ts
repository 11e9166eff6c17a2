import { InvalidEventError } from '../../../core/errors/event-errors.js';
import type { EventToAppend } from '../../../core/events/event.js';
import type { StreamAppend } from '../../../core/store/append/multi-stream-appends.js';
import { storedFormOf } from '../../../core/store/append/stored-form.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { findDifference } from '../../../core/values/find-difference.js';

/**
 * Checks that the store's own schemas leave events as the caller's have made them: the caller's state has already
 * applied these.
 *
 * @param place where the events stand in the call, for the paths in errors
 * @throws InvalidEventError when they would change an event
 */
export async function unchangedBy(
  store: EventStore,
  events: readonly EventToAppend[],
  place = 'events',
): Promise<readonly EventToAppend[]> {
  const form = storedFormOf(store);
  if (form === undefined) return events;
  const stored: EventToAppend[] = [];
  for (const [index, event] of events.entries()) {
    const path = `${place}[${index}]`;
    const made = await form(event, path);
    const found = findDifference(event.data, made.data);
    if (found !== undefined) {
      const changed = `${path}.data${found.path}`;
      throw new InvalidEventError(
        `${changed} was made by a schema of the caller, and that of the worker would change it again. Nothing was stored. Use ` +
          `the same schema on both sides, one that leaves its own results unchanged; or apply schemas only on the worker.`,
        { path: changed },
      );
    }
    stored.push(made);
  }
  return stored;
}

/** The same for the parts of an append to several streams. */
export async function unchangedAppends(
  store: EventStore,
  appends: readonly StreamAppend[],
): Promise<readonly StreamAppend[]> {
  return Promise.all(
    appends.map(async (append, index) => ({
      ...append,
      events: await unchangedBy(store, append.events, `appends[${index}].events`),
    })),
  );
}
