import { findEventStoreError, type CommitChain, type EventStore } from 'temporal-event-store';
import type { PostgresEventStore } from 'temporal-event-store/postgres';

/** What a worker needs of its store. */
export type WorkerStore = EventStore & CommitChain & Pick<PostgresEventStore, 'snapshots'>;

/** The same store, to be changed in parts. */
export function toWorkerStore(store: WorkerStore): WorkerStore {
  return {
    appendToStream: store.appendToStream.bind(store),
    readStream: store.readStream.bind(store),
    readAll: store.readAll.bind(store),
    findCommit: store.findCommit.bind(store),
    appendCommits: store.appendCommits.bind(store),
    snapshots: store.snapshots,
  };
}

/** Guards of exactly once, left out. With each, the run must find something. */
export const omissions = {
  'the command id as the id of the commit': (store) => ({
    ...store,
    async appendCommits(streamId, commits, options) {
      const results = await store.appendCommits(
        streamId,
        commits.map((commit) => ({ ...commit, commitId: crypto.randomUUID() })),
        options,
      );
      return results.map((result, index) => ({ ...result, commitId: commits[index]?.commitId ?? '' }));
    },
  }),

  'the new decision after a conflict': (store) => ({
    ...store,
    appendCommits: (streamId, commits, { expectedVersion, ...options } = {}) =>
      store
        .appendCommits(streamId, commits, {
          ...options,
          ...(expectedVersion !== undefined && { expectedVersion }),
        })
        .catch((error: unknown) => {
          if (findEventStoreError(error, 'VERSION_CONFLICT') === undefined) throw error;
          return store.appendCommits(streamId, commits, options);
        }),
  }),

  'the lookup before a rejection': (store) => {
    const known = new Set<string>();
    return {
      ...store,
      appendCommits: (streamId, commits, options) =>
        store.appendCommits(streamId, commits, options).catch((error: unknown) => {
          for (const id of findEventStoreError(error, 'COMMIT_EXISTS')?.commitIds ?? []) known.add(id);
          throw error;
        }),
      findCommit: async (streamId, commitId) =>
        known.has(commitId) ? store.findCommit(streamId, commitId) : undefined,
    };
  },

  'the look at the stream before a rejection': (store) => {
    /** What the worker has loaded or appended. */
    const known = new Map<string, number>();
    return {
      ...store,
      async readStream(streamId, options = {}) {
        const slice = await store.readStream(streamId, options);
        const version = known.get(streamId);
        if (options.direction === 'backward' && version !== undefined) return { ...slice, version };
        known.set(streamId, slice.version);
        return slice;
      },
      async appendCommits(streamId, commits, options) {
        const results = await store.appendCommits(streamId, commits, options);
        known.set(streamId, results.at(-1)?.version ?? 0);
        return results;
      },
    };
  },
} satisfies Readonly<Record<string, (store: WorkerStore) => WorkerStore>>;

export type Omission = keyof typeof omissions;
