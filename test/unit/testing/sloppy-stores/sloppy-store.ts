import type {
  CheckpointStore,
  EventStore,
  RecordedEvent,
  SnapshotStore,
  StreamSlice,
  AllSlice,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import type { StoreUnderTest } from 'temporal-event-store/testing';

/** What of a right store is replaced. */
export type Change = (store: MemoryEventStore) => Partial<StoreUnderTest>;

/** A store with one mistake that somebody who writes an adapter may make. */
export interface SloppyStore {
  /** Completes ‘a store that …’. */
  readonly defect: string;
  readonly change: Change;
  /** The case that is there for it, as `group > behaviour`. */
  readonly failsIn: string;
  /** What that case says. */
  readonly because: RegExp;
  /** Milliseconds that a case may take, where waiting is what shows the mistake. */
  readonly timeout?: number;
}

/** A store in memory, with what a change replaces. */
export function changed(change: Change): StoreUnderTest {
  const inner = new MemoryEventStore();
  return {
    appendToStream: (...args) => inner.appendToStream(...args),
    readStream: (...args) => inner.readStream(...args),
    readAll: (...args) => inner.readAll(...args),
    findCommit: (...args) => inner.findCommit(...args),
    appendCommits: (...args) => inner.appendCommits(...args),
    appendToStreams: (...args) => inner.appendToStreams(...args),
    snapshots: inner.snapshots,
    checkpoints: inner.checkpoints,
    statistics: (...args) => inner.statistics(...args),
    trends: (...args) => inner.trends(...args),
    ...change(inner),
  };
}

/** Changes each slice of a stream, with what was asked for. */
export const readingStream =
  (
    change: (
      slice: StreamSlice,
      options: NonNullable<Parameters<EventStore['readStream']>[1]>,
    ) => StreamSlice,
  ): Change =>
  (store) => ({
    readStream: async (...[streamId, options = {}]: Parameters<EventStore['readStream']>) =>
      change(await store.readStream(streamId, options), options),
  });

/** Changes each slice of all events, with what was asked for. */
export const readingAll =
  (
    change: (slice: AllSlice, options: NonNullable<Parameters<EventStore['readAll']>[0]>) => AllSlice,
  ): Change =>
  (store) => ({
    readAll: async (...[options = {}]: Parameters<EventStore['readAll']>) =>
      change(await store.readAll(options), options),
  });

/** Changes each event that is read, of a stream or of all. */
export const reading =
  (change: (event: RecordedEvent) => unknown): Change =>
  (store) => ({
    ...readingStream((slice) => ({ ...slice, events: slice.events.map(change) as RecordedEvent[] }))(store),
    ...readingAll((slice) => ({ ...slice, events: slice.events.map(change) as RecordedEvent[] }))(store),
  });

/** Changes the options of each read of all. */
export const askingAll =
  (change: (options: NonNullable<Parameters<EventStore['readAll']>[0]>) => object): Change =>
  (store) => ({ readAll: (options = {}) => store.readAll(change(options)) });

/** Changes the options of each read of a stream. */
export const askingStream =
  (change: (options: NonNullable<Parameters<EventStore['readStream']>[1]>) => object): Change =>
  (store) => ({ readStream: (streamId, options = {}) => store.readStream(streamId, change(options)) });

/** Changes events and options of each append. */
export const appending =
  (
    change: (
      ...call: [
        Parameters<EventStore['appendToStream']>[1],
        NonNullable<Parameters<EventStore['appendToStream']>[2]>,
      ]
    ) => [unknown, object],
  ): Change =>
  (store) => ({
    appendToStream: async (streamId, events, options = {}) => {
      const [changedEvents, changedOptions] = change(events, options);
      return store.appendToStream(streamId, changedEvents as typeof events, changedOptions);
    },
  });

/** Changes each event that is appended. */
export const appendingEvents = (change: (event: never) => unknown): Change =>
  appending((events, options) => [
    // What is no list of events is left to the store.
    Array.isArray(events) && events.every((event) => typeof event === 'object' && event !== null)
      ? events.map((event) => change(event as never))
      : events,
    options,
  ]);

/** Changes what stands for a stream, wherever it does. */
export const naming =
  (change: (streamId: string) => string): Change =>
  (store) => {
    const named = (streamId: string): string =>
      typeof streamId === 'string' ? change(streamId) || streamId : streamId;
    return {
      appendToStream: (streamId, ...rest) => store.appendToStream(named(streamId), ...rest),
      readStream: (streamId, ...rest) => store.readStream(named(streamId), ...rest),
      findCommit: (streamId, commitId) => store.findCommit(named(streamId), commitId),
    };
  };

/** Changes what stands for a commit, wherever it does. */
export const namingCommits =
  (change: (commitId: string) => string): Change =>
  (store) => {
    const named = (commitId: string): string =>
      typeof commitId === 'string' ? change(commitId) || commitId : commitId;
    return {
      appendToStream: (streamId, events, options) =>
        store.appendToStream(streamId, events, {
          ...options,
          ...(options?.commitId !== undefined && { commitId: named(options.commitId) }),
        }),
      findCommit: (streamId, commitId) => store.findCommit(streamId, named(commitId)),
    };
  };

/** With the methods of a class as properties, to replace some. */
export function bound(snapshots: SnapshotStore): SnapshotStore;
export function bound(checkpoints: CheckpointStore): CheckpointStore;
export function bound(store: SnapshotStore | CheckpointStore): unknown {
  return { load: store.load.bind(store), save: store.save.bind(store), delete: store.delete.bind(store) };
}

/** What comes after all that is under way, as the answer of a database does. */
export async function roundTrip(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** What comes after the timers that are due. */
export async function tick(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What cannot be copied is refused by the store, with its path. */
export function copyOf<T>(value: T): T {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}

/** What a case says that expects an error. */
export const wentThrough = /was expected to fail, but went through/;
