import type { AnyProjection } from '../../../core/projections/projection.js';
import type { EventStore } from '../../../core/store/event-store.js';

/** Most types looked up at once: each costs a read of one event. */
const mostAtOnce = 20;

/**
 * Finds event types of a projection's filter that no event in the store has: perhaps a name is misspelt. A type once
 * seen is not looked up again.
 */
export class UnseenTypes {
  readonly #store: EventStore;
  readonly #seen = new Set<string>();

  constructor(store: EventStore) {
    this.#store = store;
  }

  /**
   * The wanted types that were never appended, among the first 20 not seen before, whatever else the filter asks of
   * their events. Empty if one of the filters takes any type.
   */
  async of({ filter }: Pick<AnyProjection, 'filter'>): Promise<readonly string[]> {
    const types = new Set(filter?.flatMap((each) => each.types ?? []));
    if (filter?.some((each) => each.types === undefined) === true) return [];
    const sought = [...types].filter((type) => !this.#seen.has(type)).slice(0, mostAtOnce);
    const unseen: string[] = [];
    // One after the other: only people look at the result, so it shouldn't take connections from others.
    for (const type of sought) {
      // Backward, which doesn't wait for appends under way.
      const filter = { types: [type] };
      const { events } = await this.#store.readAll({ filter, direction: 'backward', limit: 1 });
      if (events.length === 0) unseen.push(type);
      else this.#seen.add(type);
    }
    return unseen;
  }
}
