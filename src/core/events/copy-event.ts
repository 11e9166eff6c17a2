import { findJsonFault, isObject } from '../values/json.js';
import type { DomainEvent, EventToAppend } from './event.js';

/**
 * The event as it will be read: what happens later to what it was made of doesn't change it, a property that is `undefined` is
 * absent, and `-0` is `0`. What JSON can't hold stays as it is, for the store to refuse.
 */
export function copyEvent<E extends DomainEvent>(event: EventToAppend<E>): EventToAppend<E> {
  if (!isObject(event)) return event;
  const { data, metadata, tags } = event as EventToAppend;
  return {
    ...(event as EventToAppend),
    data: copyJson(data),
    ...(metadata !== undefined && { metadata: copyJson(metadata) }),
    ...(Array.isArray(tags) && { tags: [...(tags as readonly string[])] }),
  } as EventToAppend<E>;
}

function copyJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  return findJsonFault(value) === undefined ? (JSON.parse(JSON.stringify(value)) as T) : value;
}
