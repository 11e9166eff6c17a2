import { findJsonFault, isObject } from '../values/json.js';
import type { DomainEvent, EventToAppend } from './event.js';

/**
 * The event as it will be read: what happens later to what it was made of doesn't change it, a property that is `undefined` is
 * absent, and `-0` is `0`. What JSON can't hold stays as it is, for the store to refuse.
 */
export function copyEvent<E extends DomainEvent>(event: EventToAppend<E>): EventToAppend<E> {
  return isObject(event) ? withParts(event, (part) => part) : event;
}

/** The same, and nobody can change it. */
export function frozenEvent<E extends DomainEvent>(event: EventToAppend<E>): EventToAppend<E> {
  if (!isObject(event)) return event;
  const copy = withParts(event, freeze);
  Object.freeze(copy);
  return copy;
}

function withParts<E extends DomainEvent>(
  event: EventToAppend<E>,
  finish: <T>(copied: T) => T,
): EventToAppend<E> {
  const { data, metadata, tags } = event as EventToAppend;
  return {
    ...(event as EventToAppend),
    data: copyJson(data, finish),
    ...(metadata !== undefined && { metadata: copyJson(metadata, finish) }),
    ...(Array.isArray(tags) && { tags: finish([...(tags as readonly string[])]) }),
  } as EventToAppend<E>;
}

/** What can't be copied is its owner's, and not finished either. */
function copyJson<T>(value: T, finish: <C>(copied: C) => C): T {
  if (typeof value !== 'object' || value === null) return value;
  return findJsonFault(value) === undefined ? finish(JSON.parse(JSON.stringify(value)) as T) : value;
}

/** JSON is as deep as the check of it allows, so this may call itself. */
function freeze<T>(value: T): T {
  if (!isObject(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
