import { uuidV5 } from '../../core/events/event-id.js';

/** Longer ids are hashed: the SQL persistence of Temporal's server takes 255 characters. */
const maxLength = 200;

/**
 * Joins names to one id that no other names give: a `/` in a name is escaped (`q` and `eu/x` give `q/eu%2Fx`,
 * `q/eu` and `x` give `q%2Feu/x`). All ids made of names are made here.
 */
export function joinNames(...names: readonly (string | number)[]): string {
  return names
    .map((name) => String(name).replace(/[%/]/g, (sign) => (sign === '%' ? '%25' : '%2F')))
    .join('/');
}

/**
 * The id of a workflow of the library: `event-store/<kind>/<names>`, or `event-store/<kind>/<hash>` if that is too
 * long.
 *
 * If the caller doesn't know the store, one of the names is the task queue: workers of one task queue have one store.
 */
export function workflowIdOf(kind: string, ...names: readonly (string | number)[]): string {
  const whole = `event-store/${joinNames(kind, ...names)}`;
  return whole.length <= maxLength ? whole : `event-store/${joinNames(kind, uuidV5(whole))}`;
}
