import {
  isEventStoreError,
  type AppendOptions,
  type AppendResult,
  type DomainEvent,
  type EventStore,
  type Snapshot,
  type SnapshotModel,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore, type StoreUnderTest } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import { conformanceCases, type ConformanceCase } from './conformance-cases.js';
import { bound, reading, readingAll, type Change } from './sloppy-stores/sloppy-store.js';

/** The cases of such names, on stores with one defect. */
function casesOf(change: Change, names: RegExp): readonly ConformanceCase[] {
  // They run all at once, so that each takes as long as the others together.
  return conformanceCases(change, expect, 30_000).filter(({ name }) => names.test(name));
}

/** Returns the names of those that failed, and of those that passed. */
async function run(cases: readonly ConformanceCase[]): Promise<Record<'failed' | 'passed', string[]>> {
  const outcomes = await Promise.allSettled(cases.map(({ run }) => run()));
  const namesOf = (status: string): string[] =>
    cases.filter((_, index) => outcomes[index]?.status === status).map(({ name }) => name);
  return { failed: namesOf('rejected'), passed: namesOf('fulfilled') };
}

async function failuresWith(change: Change, names: RegExp): Promise<string[]> {
  return (await run(casesOf(change, names))).failed;
}

const appending =
  (change: (result: AppendResult) => AppendResult) =>
  (store: MemoryEventStore): Partial<EventStore> => ({
    appendToStream: async (...args) => change(await store.appendToStream(...args)),
  });

/** A chain that is an append for each commit. */
const chaining =
  (options: AppendOptions) =>
  (store: MemoryEventStore): Partial<StoreUnderTest> => ({
    appendCommits: async (streamId, commits) => {
      const results: AppendResult[] = [];
      for (const { commitId, events } of commits) {
        results.push(await store.appendToStream(streamId, events, { ...options, commitId }));
      }
      return results;
    },
  });

/** Keeps whatever comes last, without a look at it. */
const blindSnapshots = (): Partial<StoreUnderTest> => {
  const kept = new Map<string, Snapshot>();
  const key = (streamId: string, { name, version }: SnapshotModel): string =>
    JSON.stringify([streamId, name, version]);
  return {
    snapshots: {
      load: async (streamId, model) => kept.get(key(streamId, model)),
      save: async (streamId, model, version, state) =>
        void kept.set(key(streamId, model), { version, state }),
      delete: async (streamId, model) => void kept.delete(key(streamId, model)),
    },
  };
};

describe('the conformance suite', () => {
  it('has nothing against a store that is right', async () => {
    expect(await failuresWith(() => ({}), /./)).toEqual([]);
  });

  it.each<[string, Change, RegExp]>([
    [
      'ignores the expected version',
      (store) => ({
        appendToStream: (streamId, events, options) =>
          store.appendToStream(streamId, events, { ...options, expectedVersion: 'any' }),
      }),
      /expected version > refuses/,
    ],
    [
      'checks the expected version before it stores, and not as it stores',
      (store) => ({
        appendToStream: async (streamId, events, { expectedVersion, ...options } = {}) => {
          const { version } = await store.readStream(streamId);
          if (typeof expectedVersion === 'number' && version !== expectedVersion) {
            return store.appendToStream(streamId, events, { ...options, expectedVersion });
          }
          return store.appendToStream(streamId, events, options);
        },
      }),
      /one of eight racers/,
    ],
    [
      'forgets commit ids',
      (store) => ({
        appendToStream: (streamId, events, { commitId, ...options } = {}) =>
          store.appendToStream(streamId, events, {
            ...options,
            ...(commitId !== undefined && { commitId: `${commitId}${crypto.randomUUID()}` }),
          }),
      }),
      /exactly once/,
    ],
    [
      'takes another commit for a repeat',
      (store) => ({
        appendToStream: async (streamId, events, options) => {
          try {
            return await store.appendToStream(streamId, events, options);
          } catch (error) {
            if (!isEventStoreError(error, 'COMMIT_MISMATCH')) throw error;
            return (await store.findCommit(streamId, options?.commitId ?? ''))!;
          }
        },
      }),
      /refuses a repeat with another data/,
    ],
    [
      'never says that it deduplicated',
      appending((result) => ({ ...result, deduplicated: false })),
      /repeated commit/,
    ],
    [
      'returns the version before the append',
      appending((result) => ({ ...result, version: result.version - 1 })),
      /append/,
    ],
    ['drops tags', reading((event) => ({ ...event, tags: [] })), /every part of an event/],
    ['drops metadata', reading((event) => ({ ...event, metadata: {} })), /metadata/],
    [
      'turns data into text',
      reading((event) => ({ ...event, data: String(event.data) })),
      /what goes in comes out/,
    ],
    [
      'stores what JSON changes',
      (store) => ({
        appendToStream: (streamId, events, options) => {
          const changed = Array.isArray(events) ? (JSON.parse(toText(events)) as typeof events) : events;
          return store.appendToStream(streamId, changed, options);
        },
      }),
      /refuses NaN with its path/,
    ],
    [
      'takes a full page for a page that is not the last',
      readingAll((slice) => ({ ...slice, isEnd: slice.events.length === 0 })),
      /exactly full page/,
    ],
    [
      'reads its last event again when it goes on from the end',
      readingAll((slice) => ({ ...slice, position: slice.position - (slice.isEnd ? 1 : 0) })),
      /without losing or repeating/,
    ],
    [
      'leaves out an event between two pages',
      readingAll((slice) => ({ ...slice, position: slice.position + (slice.isEnd ? 0 : 1) })),
      /page by page/,
    ],
    [
      'is silent about a position that it does not have',
      (store) => ({
        readAll: async (options) => {
          const { position } = await store.readAll({ direction: 'backward', limit: 1 });
          return store.readAll({
            ...options,
            ...(options?.after && { after: Math.min(options.after, position) }),
          });
        },
      }),
      /position ahead of the store/,
    ],
    [
      'reads streams whose ids begin alike',
      (store) => ({
        readStream: async <E extends DomainEvent>(
          ...[streamId, options]: Parameters<EventStore['readStream']>
        ) => {
          const slice = await store.readStream<E>(streamId, options);
          const alike = await store.readStream<E>(`${streamId}1`, options);
          return { ...slice, events: [...slice.events, ...alike.events] };
        },
      }),
      /reads one stream only/,
    ],
    ['finds no commits', () => ({ findCommit: async () => undefined }), /finds a commit by its id/],
    [
      'stores the commits of a chain one by one',
      chaining({}),
      /appends nothing when one of the commits is stored/,
    ],
    [
      'stores commits in front of one that is wrong',
      chaining({}),
      /appends nothing when one event is invalid/,
    ],
    ['expects nothing of the stream of a chain', chaining({}), /not at the expected version/],
    ['takes a chain without commits', chaining({}), /refuses no commits/],
    ['takes an id twice in a chain', chaining({}), /refuses one id twice/],
    ['drops the metadata of a chain', chaining({ metadata: {} }), /several commits one after the other/],
    ['keeps the latest snapshot and not the newest', blindSnapshots, /keeps the newest snapshot/],
    [
      'gives the snapshot of another model version',
      (store) => ({
        snapshots: {
          ...bound(store.snapshots),
          load: (streamId, model) => store.snapshots.load(streamId, { ...model, version: 1 }),
        },
      }),
      /snapshot of another model version/,
    ],
    [
      'gives the snapshot of another model',
      (store) => ({
        snapshots: {
          ...bound(store.snapshots),
          load: (streamId, model) => store.snapshots.load(streamId, { ...model, name: 'Account' }),
        },
      }),
      /keeps the newest snapshot/,
    ],
    [
      'never deletes a snapshot',
      (store) => ({ snapshots: { ...bound(store.snapshots), delete: async () => undefined } }),
      /deletes a snapshot/,
    ],
    ['takes a snapshot that is not JSON', blindSnapshots, /refuses a state that is not JSON/],
    [
      'goes back with a checkpoint',
      (store) => ({
        checkpoints: {
          ...bound(store.checkpoints),
          save: async (name, checkpoint) => {
            await store.checkpoints.delete(name);
            await store.checkpoints.save(name, checkpoint);
          },
        },
      }),
      /keeps the furthest checkpoint/,
    ],
    [
      'takes the checkpoint of another store for one of its own',
      (store) => ({
        checkpoints: {
          ...bound(store.checkpoints),
          save: (name, checkpoint) => store.checkpoints.save(name, { ...checkpoint, storeId: 's' }),
        },
      }),
      /starts again in another store/,
    ],
    [
      'never deletes a checkpoint',
      (store) => ({ checkpoints: { ...bound(store.checkpoints), delete: async () => undefined } }),
      /when it was deleted/,
    ],
    [
      'takes any checkpoint',
      (store) => ({
        checkpoints: {
          ...bound(store.checkpoints),
          save: (name, { storeId, position }) =>
            store.checkpoints.save(name, { storeId, position: Math.max(0, position) }),
        },
      }),
      /refuses a malformed checkpoint/,
    ],
    [
      'bounds no page of a stream by bytes',
      (store) => ({
        readStream: (streamId, { maxBytes: _, ...options } = {}) => store.readStream(streamId, options),
      }),
      /bound what readStream gives forward/,
    ],
    [
      'bounds no page of all by bytes',
      (store) => ({ readAll: ({ maxBytes: _, ...options } = {}) => store.readAll(options) }),
      /bound what readAll gives backward/,
    ],
    [
      'takes a page that is cut for the last',
      (store) => ({
        readAll: async <E extends DomainEvent>(options?: Parameters<EventStore['readAll']>[0]) => {
          const slice = await store.readAll<E>(options);
          return { ...slice, isEnd: slice.isEnd || slice.events.length < (options?.limit ?? 500) };
        },
      }),
      /bound what readAll gives forward/,
    ],
    [
      'has no room for an event that is larger than a page',
      (store) => ({
        readStream: async <E extends DomainEvent>(
          ...[streamId, options]: Parameters<EventStore['readStream']>
        ) => {
          const slice = await store.readStream<E>(streamId, options);
          return options?.maxBytes === 1 ? { ...slice, events: [] } : slice;
        },
      }),
      /leave readStream one event/,
    ],
    [
      'counts events of others, whatever the filter',
      (store) => ({
        statistics: async () => {
          await store.appendToStream('Other-1', [{ type: 'Other', data: {} }]);
          return store.statistics();
        },
      }),
      /counts nothing where nothing fits/,
    ],
    [
      'counts events for streams',
      (store) => ({
        statistics: async (options) => {
          const statistics = await store.statistics(options);
          return { ...statistics, streams: statistics.total };
        },
      }),
      /counts events by type and category, and streams/,
    ],
    [
      'takes the last append for the last event',
      (store) => ({
        statistics: async (options) => {
          const { first, last, ...statistics } = await store.statistics(options);
          return { ...statistics, ...(last && { first: last }), ...(first && { last: first }) };
        },
      }),
      /counts events by type and category, and streams/,
    ],
    [
      'leaves out intervals without events',
      (store) => ({
        trends: async (options) => (await store.trends(options)).filter(({ count }) => count > 0),
      }),
      /counts by week, the empty ones too/,
    ],
    [
      'has weeks that begin on Sunday',
      (store) => ({
        trends: async (options) =>
          (await store.trends(options)).map((bucket) => ({
            ...bucket,
            start: new Date(Date.parse(bucket.start) - 86_400_000).toISOString(),
          })),
      }),
      /counts by week/,
    ],
    [
      'counts from its first event, and not from where the filter says',
      (store) => ({
        trends: async (options) => (await store.trends(options)).slice(1),
      }),
      /counts by hour, from and to/,
    ],
    [
      'takes any interval',
      (store) => ({ trends: (options) => store.trends({ ...options, interval: 'day' }) }),
      /refuses an unknown interval/,
    ],
  ])('catches a store that %s', async (_defect, change, expected) => {
    expect(await failuresWith(change, expected)).not.toEqual([]);
  });

  it('has something against a store that fails whatever it is asked, in each of its cases', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('Not today'));
    const failing = { load: fail, save: fail, delete: fail };
    const change: Change = () => ({
      appendToStream: fail,
      readStream: fail,
      readAll: fail,
      findCommit: fail,
      appendCommits: fail,
      appendToStreams: fail,
      snapshots: failing,
      checkpoints: failing,
      statistics: fail,
      trends: fail,
    });
    expect((await run(casesOf(change, /./))).passed).toEqual([]);
  });

  it('has something against a store that takes everything and keeps nothing', async () => {
    const nothing = {
      load: async () => undefined,
      save: async () => undefined,
      delete: async () => undefined,
    };
    const stored = { version: 1, position: 1, deduplicated: false };
    const change: Change = () => ({
      appendToStream: async (streamId, events, { commitId = 'c' } = {}) => {
        return { ...stored, streamId, commitId, eventIds: Array.from(events, () => 'id') };
      },
      readStream: async (streamId) => ({ streamId, version: 0, events: [], isEnd: true }),
      readAll: async () => ({ events: [], position: 0, isEnd: true, storeId: '' }),
      findCommit: async () => undefined,
      appendCommits: async (streamId, commits) =>
        Array.from(commits, ({ commitId }) => ({ ...stored, streamId, commitId, eventIds: ['id'] })),
      appendToStreams: async (appends, { commitId = 'c' } = {}) => ({
        commitId,
        deduplicated: false,
        parts: Array.from(appends, ({ streamId }) => ({ ...stored, streamId, commitId, eventIds: ['id'] })),
      }),
      snapshots: nothing,
      checkpoints: nothing,
      statistics: async () => ({ total: 0, streams: 0, byType: {}, byCategory: {} }),
      trends: async () => [],
    });
    // Of nothing it is right.
    expect((await run(casesOf(change, /./))).passed).toEqual([
      'read a stream > returns an empty slice of version 0 for a stream that does not exist',
      'read all > filters by nothing that there is, in both directions and page by page',
      'statistics > counts nothing where nothing fits',
      'statistics > has no buckets where nothing fits',
    ]);
  });

  it('knows the capabilities that there are', () => {
    const declare = (): void => {
      describeEventStore('a store', () => new MemoryEventStore(), {
        capabilities: ['toString' as never],
        describe,
        it,
        expect,
      });
    };
    expect(declare).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(declare).toThrow("no capability 'toString'; there are: appendCommits, appendToStreams, snapshots");
  });

  it('says so when a store lacks a capability that it declares', async () => {
    const without: Change = () => ({ snapshots: undefined }) as never;
    const [deletes] = casesOf(without, /deletes a snapshot/);
    await expect(deletes!.run()).rejects.toThrow("declares the capability 'snapshots' but has none");
  });
});

/** As a careless store would write it. */
function toText(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
  } catch {
    return '[{"type":"Broken","data":null}]';
  }
}
