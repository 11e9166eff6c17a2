import type { AppendOptions, EventStatistics, EventStore } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';

export type WatchedStore = EventStore &
  EventStatistics & {
    /** How often something was to be appended. */
    appends(): number;
    /** How many of these have been answered, one way or the other. */
    answered(): number;
    /** How many of these have stored something. */
    stored(): number;
  };

/**
 * A store that lets something happen before each append, by its number from 1. It ignores the signal, as a store may
 * whose append is under way.
 */
export function watchAppends(
  before: (call: number) => Promise<void> | void = () => undefined,
  store: EventStore & EventStatistics = new MemoryEventStore(),
): WatchedStore {
  const counts = { appends: 0, answered: 0, stored: 0 };
  return {
    appends: () => counts.appends,
    answered: () => counts.answered,
    stored: () => counts.stored,
    async appendToStream(streamId, events, { commitId = '' }: AppendOptions = {}) {
      try {
        await before(++counts.appends);
        const result = await store.appendToStream(streamId, events, { commitId });
        if (!result.deduplicated) counts.stored++;
        return result;
      } finally {
        counts.answered++;
      }
    },
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    findCommit: (...args) => store.findCommit(...args),
    statistics: (...args) => store.statistics(...args),
    trends: (...args) => store.trends(...args),
  };
}
