import type { AnyProjection } from '../../../core/projections/projection.js';
import type { EventStore } from '../../../core/store/event-store.js';

/** Most types that are looked for at once: each costs a read of one event. */
const mostAtOnce = 20;

/**
 * Finds out which event types of a projection's filter no event of the store has: perhaps the name is misspelt. A type that was
 * seen is not looked for again.
 */
export class UnseenTypes {
  readonly #store: EventStore;
  readonly #seen = new Set<string>();

  constructor(store: EventStore) {
    this.#store = store;
  }

  /**
   * The types that it waits for and nobody has ever appended, of the first 20 not seen before; whatever else its filter wants of
   * them. None, where one of its filters takes events of any type.
   */
  async of({ filter }: Pick<AnyProjection, 'filter'>): Promise<readonly string[]> {
    const types = new Set(filter?.flatMap((each) => each.types ?? []));
    if (filter?.some((each) => each.types === undefined) === true) return [];
    const sought = [...types].filter((type) => !this.#seen.has(type)).slice(0, mostAtOnce);
    const unseen: string[] = [];
    // One after the other: it is only for somebody to look at, and shouldn't take the connections of others.
    for (const type of sought) {
      // Backward: that waits for no append under way.
      const filter = { types: [type] };
      const { events } = await this.#store.readAll({ filter, direction: 'backward', limit: 1 });
      if (events.length === 0) unseen.push(type);
      else this.#seen.add(type);
    }
    return unseen;
  }
}
