import { uuidV5 } from '../../core/events/event-id.js';

/** Longer ids than this are hashed: SQL persistence of the Temporal server takes 255 characters. */
const maxLength = 200;

/**
 * Names as one id that no other names join to: a `/` in a name doesn't end it (`q` and `eu/x` are `q/eu%2Fx`, `q/eu` and `x` are
 * `q%2Feu/x`). Every id that is made of names is made by this.
 */
export function joinNames(...names: readonly (string | number)[]): string {
  return names
    .map((name) => String(name).replace(/[%/]/g, (sign) => (sign === '%' ? '%25' : '%2F')))
    .join('/');
}

/**
 * The id of a workflow of the library: `event-store/<kind>/<names>` where that fits, and else `event-store/<kind>/<hash>`.
 *
 * A task queue is among the names where whoever makes the id doesn't know the store: workers of one task queue have one store.
 */
export function workflowIdOf(kind: string, ...names: readonly (string | number)[]): string {
  const whole = `event-store/${joinNames(kind, ...names)}`;
  return whole.length <= maxLength ? whole : `event-store/${joinNames(kind, uuidV5(whole))}`;
}
