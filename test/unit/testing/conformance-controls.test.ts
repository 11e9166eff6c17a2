import {
  isEventStoreError,
  type AllSlice,
  type AppendResult,
  type DomainEvent,
  type EventStore,
  type RecordedEvent,
  type StreamSlice,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';

type Case = { readonly name: string; readonly run: () => Promise<void> };

type Change = (store: MemoryEventStore) => Partial<EventStore>;

/** Runs the cases of such names on stores with one defect, and returns the names of those that failed. */
async function failuresWith(change: Change, names: RegExp): Promise<string[]> {
  const cases: Case[] = [];
  const groups: string[] = [];
  describeEventStore('a store', () => defective(change), {
    describe: (name, define) => {
      groups.push(name);
      define();
      groups.pop();
    },
    it: (behaviour, run) => {
      const name = [...groups, behaviour].join(' > ');
      if (names.test(name)) cases.push({ name, run });
    },
    expect,
  });
  const outcomes = await Promise.allSettled(cases.map(({ run }) => run()));
  return cases.flatMap(({ name }, index) => (outcomes[index]?.status === 'rejected' ? [name] : []));
}

function defective(change: Change): EventStore {
  const inner = new MemoryEventStore();
  return {
    appendToStream: (...args) => inner.appendToStream(...args),
    readStream: (...args) => inner.readStream(...args),
    readAll: (...args) => inner.readAll(...args),
    findCommit: (...args) => inner.findCommit(...args),
    ...change(inner),
  };
}

const appending =
  (change: (result: AppendResult) => AppendResult) =>
  (store: MemoryEventStore): Partial<EventStore> => ({
    appendToStream: async (...args) => change(await store.appendToStream(...args)),
  });

const reading =
  (change: (event: RecordedEvent) => RecordedEvent) =>
  (store: MemoryEventStore): Partial<EventStore> => ({
    readStream: async <E extends DomainEvent>(...args: Parameters<EventStore['readStream']>) => {
      const slice = await store.readStream(...args);
      return { ...slice, events: slice.events.map(change) } as unknown as StreamSlice<E>;
    },
  });

const readingAll =
  (change: (slice: AllSlice) => AllSlice) =>
  (store: MemoryEventStore): Partial<EventStore> => ({
    readAll: async (...args) => change(await store.readAll(...args)),
  });

describe('the conformance suite', () => {
  it('has nothing against a store that is right', async () => {
    expect(await failuresWith(() => ({}), /./)).toEqual([]);
  });

  it.each<[string, (store: MemoryEventStore) => Partial<EventStore>, RegExp]>([
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
  ])('catches a store that %s', async (_defect, change, expected) => {
    expect(await failuresWith(change, expected)).not.toEqual([]);
  });

  it('says so when a store lacks a capability that it declares', async () => {
    const cases: Case[] = [];
    const none = (): Partial<EventStore> => ({});
    describeEventStore('a store', () => defective(none), {
      capabilities: ['snapshots'],
      describe: (_name, define) => {
        define();
      },
      it: (name, run) => cases.push({ name, run }),
      expect,
    });
    const deletes = cases.find(({ name }) => name === 'deletes a snapshot')!;
    await expect(deletes.run()).rejects.toThrow("declares the capability 'snapshots' but has none");
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
