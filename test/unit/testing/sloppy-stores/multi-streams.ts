import {
  CommitMismatchError,
  InvalidEventError,
  isEventStoreError,
  VersionConflictError,
  type AppendResult,
  type MultiAppendResult,
  type StreamAppend,
} from 'temporal-event-store';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import { reading, readingAll, roundTrip, tick, type Change, type SloppyStore } from './sloppy-store.js';

type Args = Parameters<MemoryEventStore['appendToStreams']>;
type Options = NonNullable<Args[1]>;

/** Changes what an append to streams is asked for. */
const asking =
  (change: (appends: Args[0], options: Options) => readonly [unknown, object]): Change =>
  (store) => ({
    appendToStreams: async (appends, options = {}) =>
      store.appendToStreams(...(change(appends, options) as [Args[0], Options])),
  });

/** Changes the appends that have a stream and events; others are left to the store. */
const askingParts = (change: (parts: readonly StreamAppend[]) => readonly StreamAppend[]): Change =>
  asking((appends, options) => [areParts(appends) ? change(appends) : appends, options]);

function areParts(appends: unknown): appends is readonly StreamAppend[] {
  return (
    Array.isArray(appends) &&
    appends.every((each) => Array.isArray((each as Partial<StreamAppend> | null | undefined)?.events))
  );
}

/** Changes what an append to streams answers. */
const answering =
  (change: (result: MultiAppendResult) => MultiAppendResult): Change =>
  (store) => ({ appendToStreams: async (...args) => change(await store.appendToStreams(...args)) });

const answeringParts = (change: (part: AppendResult, home: AppendResult) => AppendResult): Change =>
  answering((result) => ({
    ...result,
    parts: result.parts.map((part) => change(part, result.parts[0] as AppendResult)),
  }));

/** Does something else when the store refuses an append to streams so. */
const refused =
  (
    code: NonNullable<Parameters<typeof isEventStoreError>[1]>,
    instead: (
      store: MemoryEventStore,
      appends: Args[0],
      options: Options,
      error: unknown,
    ) => Promise<MultiAppendResult>,
  ): Change =>
  (store) => ({
    appendToStreams: async (appends, options = {}) => {
      try {
        return await store.appendToStreams(appends, options);
      } catch (error) {
        if (!isEventStoreError(error, code)) throw error;
        return instead(store, appends, options, error);
      }
    },
  });

/** Answers with the commit that each of the streams has, if each has it and `isAlike` says so. */
const takingForRepeat = (isAlike: (given: readonly string[], listed: readonly string[]) => boolean): Change =>
  refused('COMMIT_MISMATCH', async (store, appends, { commitId = '' }, error) => {
    const parts: AppendResult[] = [];
    let listed: readonly string[] = [];
    for (const { streamId } of appends) {
      const found = await store.findCommit(streamId, commitId);
      if (found === undefined) throw error;
      parts.push(found);
      const { events } = await store.readStream(streamId, { fromVersion: found.version });
      listed = events[0]?.metadata['commitStreams'] as readonly string[];
    }
    const given = appends.map(({ streamId }) => streamId);
    if (!isAlike(given, listed)) throw error;
    return { commitId, deduplicated: true, parts };
  });

/** Appends the parts one after the other. */
async function oneByOne(
  store: MemoryEventStore,
  appends: Args[0],
  { condition: _, ...options }: Options = {},
  pause: () => Promise<void> = roundTrip,
): Promise<MultiAppendResult> {
  const parts: AppendResult[] = [];
  for (const part of appends) {
    const result = await store.appendToStreams([part], options);
    parts.push(...result.parts);
    await pause();
  }
  const [{ commitId }] = parts as [AppendResult];
  return { commitId, deduplicated: false, parts };
}

const withoutId = ({ commitId: _, ...options }: Options): Options => options;

/** Nobody else asks this store for the streams until the work is done; locks them one by one. */
function locksOf(): (
  streamIds: readonly string[],
  work: () => Promise<MultiAppendResult>,
) => Promise<MultiAppendResult> {
  const locks = new Map<string, Promise<void>>();
  return async (streamIds, work) => {
    const unlock: (() => void)[] = [];
    for (const streamId of streamIds) {
      const before = locks.get(streamId);
      locks.set(
        streamId,
        (before ?? Promise.resolve()).then(() => new Promise<void>((done) => void unlock.push(done))),
      );
      await before;
      await roundTrip();
    }
    try {
      return await work();
    } finally {
      for (const done of unlock) done();
    }
  };
}

export const withSloppyMultiAppends: readonly SloppyStore[] = [
  {
    defect: 'answers with the parts in the order of their streams',
    change: answering((result) => ({
      ...result,
      parts: [...result.parts].sort((one, other) => one.streamId.localeCompare(other.streamId)).reverse(),
    })),
    failsIn: 'append to streams > gives versions by stream, and results in the order given',
    because: /Expected \[\["\w+-2",1\],\["\w+-3",5\],.*but got \[\["\w+x-1",2\]/,
  },
  {
    defect: 'answers with the version of the home stream for each',
    change: answeringParts((part, { version }) => ({ ...part, version })),
    failsIn: 'append to streams > gives versions by stream, and results in the order given',
    because: /\["\w+-3",5\].*but got .*\["\w+-3",1\]/,
  },
  {
    defect: 'answers with the position of the whole commit for each part',
    change: (store) => ({
      appendToStreams: async (...args) => {
        const result = await store.appendToStreams(...args);
        const { position = 0 } = result.parts.at(-1) ?? {};
        return { ...result, parts: result.parts.map((part) => ({ ...part, position })) };
      },
    }),
    failsIn: 'append to streams > gives versions by stream, and results in the order given',
    because: /"position":8.*but got .*"position":3/,
  },
  {
    defect: 'gives the events of each stream the tags of those of the home stream',
    change: askingParts((parts) =>
      parts.map((part) => ({
        ...part,
        events: part.events.map((event, index) => ({
          ...event,
          tags: parts[0]?.events[index]?.tags ?? event.tags ?? [],
        })),
      })),
    ),
    failsIn: 'append to streams > stores each event in its stream as it was given',
    because: /"tags":\["tag-1-0"\].*but got .*"tags":\[\]/,
  },
  {
    defect: 'orders the events of a commit by their streams',
    change: readingAll((slice) => ({
      ...slice,
      events: [...slice.events].sort((one, other) => one.streamId.localeCompare(other.streamId)),
    })),
    failsIn: 'append to streams > gives positions that grow in the order given',
    because: /Expected \[\["\w+x-1",1\],.*but got \[\["\w+-2",1\]/,
  },
  {
    defect: 'counts the ids of its events by stream',
    change: answeringParts((part, { eventIds }) => ({ ...part, eventIds })),
    failsIn: 'append to streams > makes ids that differ among the streams',
    because: /Expected 6, but got 2/,
  },
  {
    defect: 'chooses a commit id for each of the streams',
    change: (store) => ({
      appendToStreams: async (appends, options = {}) => {
        const result = await store.appendToStreams(appends, options);
        if (options.commitId !== undefined) return result;
        return { ...result, parts: result.parts.map((part) => ({ ...part, commitId: crypto.randomUUID() })) };
      },
    }),
    failsIn: 'append to streams > chooses a commit id when none is given, the same for all streams',
    because: /Expected 1, but got 4/,
  },
  {
    defect: 'finds a commit of several streams on its home stream only',
    change: (store) => {
      const elsewhere = new Set<string>();
      return {
        appendToStreams: async (...args) => {
          const result = await store.appendToStreams(...args);
          for (const { streamId } of result.parts.slice(1)) elsewhere.add(streamId);
          return result;
        },
        findCommit: async (streamId, commitId) =>
          elsewhere.has(streamId) ? undefined : store.findCommit(streamId, commitId),
      };
    },
    failsIn: 'append to streams > finds the commit on each of its streams, and on no other',
    because: /but got \[\{.*\},null,null\]/,
  },
  {
    defect: 'finds a commit of several streams on any stream',
    change: (store) => {
      const known = new Map<string, AppendResult>();
      return {
        appendToStreams: async (...args) => {
          const result = await store.appendToStreams(...args);
          known.set(result.commitId, result.parts[0] as AppendResult);
          return result;
        },
        findCommit: async (streamId, commitId) =>
          (await store.findCommit(streamId, commitId)) ?? known.get(commitId),
      };
    },
    failsIn: 'append to streams > finds the commit on each of its streams, and on no other',
    because: /Expected undefined, but got \{"streamId"/,
  },
  {
    defect: 'has room for ten streams',
    change: askingParts((parts) => parts.slice(0, 10)),
    failsIn: 'append to streams > appends to 50 streams at once',
    because: /"\w+-10",1\].*but got .*"\w+-9",1\]\]$/,
  },
  {
    defect: 'takes streams for one whose ids differ in case',
    change: (store) => {
      const named = (streamId: string): string => streamId.replace('Order', 'order');
      return {
        appendToStreams: async (appends, options) => {
          if (!areParts(appends)) return store.appendToStreams(appends, options);
          const parts = new Map<string, StreamAppend>();
          for (const part of appends) {
            const streamId = named(part.streamId);
            const events = [...(parts.get(streamId)?.events ?? []), ...part.events];
            parts.set(streamId, { ...part, streamId, events });
          }
          return store.appendToStreams([...parts.values()], options);
        },
        readStream: async (streamId, options) => store.readStream(named(streamId), options),
      };
    },
    failsIn: 'append to streams > tells streams apart whose ids are nearly alike',
    because: /but got \[\{"streamId":"\w+-order"\},\{"streamId":"\w+-Order"\}\]/,
  },
  {
    defect: 'keeps the commits of appends to streams apart from others',
    change: asking((appends, options) => [
      appends,
      { ...options, ...(options.commitId && { commitId: `${options.commitId}/streams` }) },
    ]),
    failsIn: 'append to streams > is the same for one stream as an append to it, also as its repeat',
    because: /"commitId":"c".*but got .*"commitId":"c\/streams"/,
  },
  {
    defect: 'lists no streams in the metadata',
    change: reading(({ metadata: { commitStreams: _, ...metadata }, ...event }) => ({ ...event, metadata })),
    failsIn: 'append to streams > lists the streams in the metadata of each event when there are several',
    because: /"commitStreams":\[.*but got \[\{"actor":"ann"\}/,
  },
  {
    defect: 'lists the streams in the metadata of the first event of each',
    change: reading((event) => {
      const { commitStreams: _, ...metadata } = event.metadata;
      return event.version === 1 ? event : { ...event, metadata };
    }),
    failsIn: 'append to streams > lists the streams in the metadata of each event when there are several',
    because: /but got \[\{"actor":"ann","commitStreams":\[.*\]\},\{"actor":"bob"\}\]/,
  },
  {
    defect: 'lists the stream in the metadata, where there is one',
    change: asking((appends, options) => [
      appends,
      areParts(appends) && appends.length === 1
        ? { ...options, metadata: { commitStreams: appends.map(({ streamId }) => streamId) } }
        : options,
    ]),
    failsIn: 'append to streams > lists no streams in the metadata when there is one',
    because: /Expected \{\}, but got \{"commitStreams"/,
  },
  {
    defect: 'keeps its key of the metadata for itself',
    change: askingParts((parts) => {
      for (const event of parts.flatMap(({ events }) => events)) {
        if (event.metadata?.['commitStreams'] === undefined) continue;
        throw new InvalidEventError('That key is taken.', { path: 'commitStreams' });
      }
      return parts;
    }),
    failsIn: 'append to streams > takes an event that names the streams of its commit',
    because: /That key is taken/,
  },
  {
    defect: 'writes its list of streams over that of an event',
    change: askingParts((parts) =>
      parts.map((part) => ({
        ...part,
        events: part.events.map(({ metadata, ...event }) => {
          const { commitStreams: _, ...others } = metadata ?? {};
          return { ...event, metadata: others };
        }),
      })),
    ),
    failsIn:
      'append to streams > refuses an event that names fewer streams, in its own metadata or that of the append',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'writes its list of streams over that of the append',
    change: asking((appends, { metadata, ...options }) => {
      const { commitStreams: _, ...others } = metadata ?? {};
      return [appends, { ...options, ...(typeof metadata === 'object' && { metadata: others }) }];
    }),
    failsIn:
      'append to streams > refuses an event that names its streams in another order, in its own metadata or that of the append',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'drops the metadata of an append to streams',
    change: asking((appends, { metadata: _, ...options }) => [appends, options]),
    failsIn: "append to streams > merges the append's metadata under each event's own",
    because: /"tenant":\{"id":7\}.*but got \{"commitStreams":\[[^\]]*\],"actor":"bob"\}/,
  },
  {
    defect: 'shows the parts of an append to streams as they come',
    change: (store) => ({
      appendToStreams: async (appends, options) =>
        areParts(appends) && appends.length === 20
          ? oneByOne(store, appends, options, tick)
          : store.appendToStreams(appends, options),
    }),
    failsIn: 'append to streams > shows all or none of its events to those who read while it is appended',
    because: /Expected \[\], but got \["10 before 0"/,
  },
  {
    defect: 'shows the parts of an append to streams as they come to those who read all',
    change: (store) => {
      let shown = Infinity;
      return {
        appendToStreams: async (appends, options) => {
          const first = (await store.readAll()).position;
          const result = await store.appendToStreams(appends, options);
          if (appends.length < 20) return result;
          for (shown = first + 10; shown <= first + 200; shown += 10) await tick();
          shown = Infinity;
          return result;
        },
        readAll: async (options) => {
          const slice = await store.readAll<never>(options);
          const events = slice.events.filter(({ position }) => position <= shown);
          return { ...slice, events, position: Math.min(slice.position, shown) };
        },
      };
    },
    failsIn: 'append to streams > shows all or none of its events to those who read while it is appended',
    because: /Expected \[\], but got \["\d+0 in all"/,
  },
  {
    defect: 'ignores the signal of an append to streams',
    change: asking((appends, { signal: _, ...options }) => [appends, options]),
    failsIn: 'append to streams > appends nothing when the signal is aborted, and rejects with its reason',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'stores the parts in front of one that is invalid',
    change: refused('INVALID_EVENT', async (store, appends, options, error) => {
      await store.appendToStreams(appends.slice(0, 1), options);
      throw error;
    }),
    failsIn: 'append to streams > appends nothing when one event is invalid, and says which',
    because: /Expected \[0,0\], but got \[1,0\]/,
  },
  {
    defect: 'says where an event stands in its stream, and not which stream',
    change: refused('INVALID_EVENT', async (store, appends) => {
      for (const { streamId, events } of appends) {
        await store.appendToStream(streamId, events, { expectedVersion: 0 });
      }
      throw new Error('Not invalid');
    }),
    failsIn: 'append to streams > appends nothing when one event is invalid, and says which',
    because: /"path":"appends\[1\]\.events\[1\].*but got InvalidEventError: events\[1\]\.data\.price/,
  },
  {
    defect: 'counts the bytes of each stream by itself',
    change: refused('EVENT_TOO_LARGE', (store, appends, options) => oneByOne(store, appends, options)),
    failsIn:
      'append to streams > counts the events of all streams as one commit against the limit of its size',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'looks at the events of an append to streams when it is its turn',
    change: (store) => ({
      appendToStreams: async (appends, options) => {
        await roundTrip();
        return store.appendToStreams(appends, options);
      },
    }),
    failsIn: 'append to streams > does not change when the caller changes its objects later',
    because: /Expected \["\w+-2","\w+-3"\], but got \["\w+-3","\w+-2"\]/,
  },
  {
    defect: 'sorts the list that it is given',
    change: askingParts((parts) =>
      (parts as StreamAppend[]).sort((one, other) => (one.streamId < other.streamId ? -1 : 1)),
    ),
    failsIn: 'append to streams > is taken from a caller that has frozen it',
    because: /read only property/,
  },
  {
    defect: 'takes an append to no streams',
    change: (store) => ({
      appendToStreams: async (appends, options) =>
        Array.isArray(appends) && appends.length === 0
          ? { commitId: 'c', deduplicated: false, parts: [] }
          : store.appendToStreams(appends, options),
    }),
    failsIn: 'append to streams > refuses no appends',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes the appends to one stream together',
    change: askingParts((parts) => [...new Map(parts.map((part) => [part.streamId, part])).values()]),
    failsIn: 'append to streams > refuses one stream twice',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'passes over a stream that gets no events',
    change: askingParts((parts) => parts.filter(({ events }) => events.length > 0)),
    failsIn: 'append to streams > refuses an append without events',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'passes over what it does not know of an append to a stream',
    change: askingParts((parts) =>
      parts.map(({ streamId, events, expectedVersion = 'any' }) => ({ streamId, events, expectedVersion })),
    ),
    failsIn: 'append to streams > refuses an unknown option of an append',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'passes over options that it does not know',
    change: asking((appends, { commitId, metadata, condition, signal }) => [
      appends,
      { commitId, metadata, condition, signal },
    ]),
    failsIn: 'append to streams > refuses an unknown option',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'forgets the commits of several streams',
    change: asking((appends, options) => [appends, withoutId(options)]),
    failsIn:
      'append to streams exactly once > stores a repeated commit once and returns the first result, whatever the streams are at',
    because: /was expected not to exist, but it is at version/,
  },
  {
    defect: 'answers a repeat with where the streams are now',
    change: (store) => ({
      appendToStreams: async (...args) => {
        const result = await store.appendToStreams(...args);
        if (!result.deduplicated) return result;
        const parts: AppendResult[] = [];
        for (const part of result.parts) {
          parts.push({ ...part, version: (await store.readStream(part.streamId, { limit: 1 })).version });
        }
        return { ...result, parts };
      },
    }),
    failsIn:
      'append to streams exactly once > stores a repeated commit once and returns the first result, whatever the streams are at',
    because: /"streamId":"\w+-3","commitId":"c","version":1.*but got .*"commitId":"c","version":4/,
  },
  {
    defect: 'does not say of the parts that they are repeated',
    change: answeringParts((part) => ({ ...part, deduplicated: false })),
    failsIn:
      'append to streams exactly once > stores a repeated commit once and returns the first result, whatever the streams are at',
    because: /"deduplicated":true.*but got .*"deduplicated":false/,
  },
  {
    defect: 'looks for a commit of several streams before it appends, and not as it does',
    change: (store) => ({
      appendToStreams: async (appends, options = {}) => {
        const { commitId } = options;
        if (commitId === undefined || !areParts(appends)) return store.appendToStreams(appends, options);
        const found = await store.findCommit(appends[0]?.streamId ?? '', commitId);
        await roundTrip();
        return store.appendToStreams(appends, found ? options : withoutId(options));
      },
    }),
    failsIn: 'append to streams exactly once > stores one of eight concurrent copies of a commit',
    because: /Expected 1, but got 8/,
  },
  {
    defect: 'knows a repeat of several streams by its text',
    change: (store) => {
      const texts = new Map<string, string>();
      return {
        appendToStreams: async (appends, options = {}) => {
          if (options.commitId === undefined) return store.appendToStreams(appends, options);
          const text = JSON.stringify(appends);
          const known = texts.get(options.commitId) ?? text;
          texts.set(options.commitId, text);
          if (known === text) return store.appendToStreams(appends, options);
          const { streamId } = appends[0] as StreamAppend;
          throw new CommitMismatchError('Another text', { streamId, commitId: options.commitId });
        },
      };
    },
    failsIn: 'append to streams exactly once > takes other metadata and keys in another order for a repeat',
    because: /Another text/,
  },
  {
    defect: 'takes a repeat with fewer streams for the same',
    change: takingForRepeat((given, listed) => given.length < listed.length),
    failsIn: 'append to streams exactly once > refuses a repeat without its last stream',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'looks for a repeat in the stream that comes first',
    change: takingForRepeat((given, listed) => given.length < listed.length && given[0] !== listed[0]),
    failsIn: 'append to streams exactly once > refuses a repeat without its home stream',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes an append to the home stream alone for a repeat',
    change: takingForRepeat((given) => given.length === 1),
    failsIn: 'append to streams exactly once > refuses a repeat with the home stream alone',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'stores what a repeat has more than the first append',
    change: refused('COMMIT_MISMATCH', async (store, appends, options, error) => {
      const parts: StreamAppend[] = [];
      for (const part of appends) {
        if (!(await store.findCommit(part.streamId, options.commitId ?? ''))) parts.push(part);
      }
      if (parts.length === 0 || parts.length === appends.length) throw error;
      return store.appendToStreams(parts, options);
    }),
    failsIn: 'append to streams exactly once > refuses a repeat with one stream more',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'compares the number of streams, and not which they are',
    change: refused('COMMIT_MISMATCH', async (store, appends, options, error) => {
      const { commitId = '' } = options;
      const [home, , last] = await Promise.all(
        appends.map(({ streamId }) => store.findCommit(streamId, commitId)),
      );
      if (appends.length !== 3 || home === undefined || last !== undefined) throw error;
      return { commitId, deduplicated: true, parts: [home] };
    }),
    failsIn: 'append to streams exactly once > refuses a repeat with another stream in place of the last',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes streams in another order for the same',
    change: takingForRepeat(
      (given, listed) => given.length === listed.length && given[0] === listed[0] && given[1] !== listed[1],
    ),
    failsIn: 'append to streams exactly once > refuses a repeat with its streams in another order',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes another home stream for the same',
    change: takingForRepeat((given, listed) => given.length === listed.length && given[0] !== listed[0]),
    failsIn: 'append to streams exactly once > refuses a repeat with another home stream',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'compares the events of the home stream only',
    change: takingForRepeat((given, listed) => given.join() === listed.join()),
    failsIn: 'append to streams exactly once > refuses a repeat with other events for its last stream',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'compares the events of all streams as one list',
    change: (store) => {
      const lists = new Map<string, string>();
      const textOf = (appends: Args[0]): string =>
        JSON.stringify(
          appends.flatMap(({ events }) => events.map(({ data }) => JSON.stringify(data))).sort(),
        );
      return {
        appendToStreams: async (appends, options = {}) => {
          const { commitId = '' } = options;
          try {
            const result = await store.appendToStreams(appends, options);
            lists.set(commitId, textOf(appends));
            return result;
          } catch (error) {
            if (!areParts(appends) || lists.get(commitId) !== textOf(appends)) throw error;
            return { commitId, deduplicated: true, parts: [] };
          }
        },
      };
    },
    failsIn: 'append to streams exactly once > refuses a repeat with the events of two streams exchanged',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes an append to one stream of a commit for a repeat',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        try {
          return await store.appendToStream(streamId, events, options);
        } catch (error) {
          const found = await store.findCommit(streamId, options.commitId ?? 'none').catch(() => undefined);
          if (!isEventStoreError(error, 'COMMIT_MISMATCH') || found === undefined) throw error;
          return found;
        }
      },
    }),
    failsIn: 'append to streams exactly once > takes no append to one of its streams for a repeat',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'looks for a commit of several streams in the home stream only',
    change: refused('COMMIT_MISMATCH', async (store, appends, options, error) => {
      const found = await store.findCommit(appends[0]?.streamId ?? '', options.commitId ?? '');
      if (found) throw error;
      return store.appendToStreams(appends, withoutId(options));
    }),
    failsIn:
      'append to streams exactly once > refuses a commit id that stream 3 of its three has for an append of its own',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'appends the rest where the home stream has the commit already',
    change: refused('COMMIT_MISMATCH', async (store, appends, options, error) => {
      const [home, ...others] = appends;
      const { commitId = '' } = options;
      const found = await store.findCommit(home?.streamId ?? '', commitId);
      if (!found || (await store.findCommit(others[0]?.streamId ?? '', commitId))) throw error;
      return store.appendToStreams(others, options);
    }),
    failsIn:
      'append to streams exactly once > refuses a commit id that stream 1 of its three has for an append of its own',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'tells a conflict of versions where a commit of several streams has other events',
    change: refused('COMMIT_MISMATCH', (store, appends, options) =>
      store.appendToStreams(appends, withoutId(options)),
    ),
    failsIn:
      'append to streams exactly once > refuses other events under its commit id before it looks at the expected versions',
    because: /COMMIT_MISMATCH.*but got VersionConflictError/,
  },
  {
    defect: 'stores a commit of several streams again when another home stream has it',
    change: refused('COMMIT_MISMATCH', async (store, appends, options) => {
      await roundTrip();
      return store.appendToStreams(appends, withoutId(options));
    }),
    failsIn:
      'append to streams exactly once > stores one of two concurrent appends with one commit id and streams that overlap',
    because: /Expected \[1,1\], but got \[2,0\]/,
  },
  {
    defect: 'takes the expected version of the home stream for that of each',
    change: askingParts((parts) =>
      parts.map((part) => ({ ...part, expectedVersion: parts[0]?.expectedVersion ?? 'any' })),
    ),
    failsIn: 'append to streams at expected versions > accepts what each stream is at',
    because: /was expected to be at version 2/,
  },
  {
    defect: 'looks at the version of the home stream only',
    change: askingParts((parts) =>
      parts.map(({ expectedVersion = 'any', ...part }, index) => ({
        ...part,
        expectedVersion: index === 0 ? expectedVersion : 'any',
      })),
    ),
    failsIn: 'append to streams at expected versions > appends nothing when stream 2 of three is not at 2',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'looks at the versions of the other streams only',
    change: askingParts((parts) =>
      parts.map(({ expectedVersion = 'any', ...part }, index) => ({
        ...part,
        expectedVersion: index > 0 ? expectedVersion : 'any',
      })),
    ),
    failsIn: 'append to streams at expected versions > appends nothing when stream 1 of three is not at 1',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'takes a stream that it has just made for one that exists',
    change: askingParts((parts) =>
      parts.map(({ expectedVersion = 'any', ...part }) => ({
        ...part,
        expectedVersion: expectedVersion === 'streamExists' ? 'any' : expectedVersion,
      })),
    ),
    failsIn:
      'append to streams at expected versions > appends nothing when stream 2 of three is not at streamExists',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'leaves the parts in front of a conflict behind',
    change: refused('VERSION_CONFLICT', async (store, appends, options, error) => {
      await store.appendToStreams(appends.slice(0, 2), options);
      throw error;
    }),
    failsIn: 'append to streams at expected versions > appends nothing when stream 3 of three is not at 3',
    because: /Expected \[2,0,1\], but got \[3,1,1\]/,
  },
  {
    defect: 'names the last stream that is at another version',
    change: refused('VERSION_CONFLICT', (store, appends, options) =>
      store.appendToStreams([...appends].reverse(), options),
    ),
    failsIn:
      'append to streams at expected versions > names the first stream, in the order given, that is at another version',
    because: /"expectedVersion":4.*but got VersionConflictError: Stream '\w+-3'/,
  },
  {
    defect: 'remembers the commit id of several streams that it refused',
    change: (store) => {
      const refusedIds = new Set<string>();
      return {
        ...refused('VERSION_CONFLICT', async (_store, appends, { commitId = '' }, error) => {
          for (const { streamId } of appends) refusedIds.add(`${streamId}/${commitId}`);
          throw error;
        })(store),
        appendToStream: async (streamId, events, options = {}) => {
          const result = await store.appendToStream(streamId, events, options);
          return { ...result, deduplicated: refusedIds.has(`${streamId}/${String(options.commitId)}`) };
        },
      };
    },
    failsIn:
      'append to streams at expected versions > leaves streams and commit id as they were when it was refused',
    because: /"deduplicated":false\}, but got .*"deduplicated":true/,
  },
  {
    defect: 'makes the streams of an append that it refuses',
    change: (store) => {
      const made = new Set<string>();
      return {
        ...refused('VERSION_CONFLICT', async (_store, appends, _options, error) => {
          for (const { streamId } of appends) made.add(streamId);
          throw error;
        })(store),
        appendToStream: async (streamId, events, options = {}) => {
          if (options.expectedVersion === 'noStream' && made.has(streamId)) {
            const fields = { streamId, expectedVersion: 'noStream', actualVersion: 0 } as const;
            throw new VersionConflictError('There is such a stream', fields);
          }
          return store.appendToStream(streamId, events, options);
        },
      };
    },
    failsIn:
      'append to streams at expected versions > leaves streams and commit id as they were when it was refused',
    because: /There is such a stream/,
  },
  {
    defect: 'checks the versions of several streams, and enforces them not',
    change: (store) => ({
      appendToStreams: async (appends, options) => {
        if (!areParts(appends)) return store.appendToStreams(appends, options);
        let isExpected = true;
        for (const { streamId, expectedVersion } of appends) {
          if (expectedVersion !== 'noStream') continue;
          isExpected &&= (await store.readStream(streamId, { limit: 1 })).version === 0;
        }
        await roundTrip();
        const parts = appends.map(({ expectedVersion: _, ...part }) => part);
        return store.appendToStreams(isExpected ? parts : appends, options);
      },
    }),
    failsIn:
      'append to streams at expected versions > lets one of eight racers through that expect the same of one of their streams',
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'locks its streams in the order given',
    change: (store) => {
      const locked = locksOf();
      return {
        appendToStreams: async (appends, options) =>
          areParts(appends)
            ? locked(
                appends.map(({ streamId }) => streamId),
                () => store.appendToStreams(appends, options),
              )
            : store.appendToStreams(appends, options),
      };
    },
    failsIn:
      'append to streams beside others > lets appends to the same streams in opposite orders all through',
    because: /^appendToStreams\(.*\) has not answered within the 200 ms of the case, nor have 7 others/,
    timeout: 200,
  },
  {
    defect: 'stores the parts of concurrent appends to streams in turns',
    change: (store) => ({
      appendToStreams: (appends, options) => oneByOne(store, appends, options),
    }),
    failsIn:
      'append to streams beside others > lets appends to the same streams in opposite orders all through',
    because: /Expected \["commit-\d".*but got \["commit-\d"/,
  },
  {
    defect: 'refuses appends to a stream while one to several is under way',
    change: (store) => {
      const busy = new Set<string>();
      return {
        appendToStreams: async (appends, options) => {
          for (const { streamId } of appends) busy.add(streamId);
          await roundTrip();
          for (const { streamId } of appends) busy.delete(streamId);
          return store.appendToStreams(appends, options);
        },
        appendToStream: async (streamId, events, options) => {
          if (busy.has(streamId)) throw new Error('The stream is busy');
          return store.appendToStream(streamId, events, options);
        },
      };
    },
    failsIn:
      'append to streams beside others > lets appends whose streams overlap through beside appends to one',
    because: /The stream is busy/,
  },
  {
    defect: 'never answers an append to streams',
    change: () => ({ appendToStreams: () => new Promise(() => undefined) }),
    failsIn: 'append to streams > appends to 50 streams at once',
    because: /^appendToStreams\(.*\) has not answered/,
    timeout: 200,
  },
];
