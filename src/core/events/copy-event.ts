import { findJsonFault, isObject } from '../values/json.js';
import type { DomainEvent, EventToAppend } from './event.js';

/**
 * A copy of the event as it will be read: later changes to the original don't reach it, an `undefined` property is
 * absent, and `-0` is `0`. What JSON can't hold stays as it is, for the store to refuse.
 */
export function copyEvent<E extends DomainEvent>(event: EventToAppend<E>): EventToAppend<E> {
  return isObject(event) ? withParts(event, (part) => part) : event;
}

/** The same copy, frozen. */
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

/** What can't be copied belongs to its owner, and isn't frozen either. */
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
