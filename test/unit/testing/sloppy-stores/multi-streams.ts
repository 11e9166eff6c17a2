import { InvalidEventError, type AppendResult, type StreamAppend } from 'temporal-event-store';
import {
  answering,
  answeringParts,
  areParts,
  asking,
  askingParts,
  oneByOne,
  refused,
} from './several-streams.js';
import { reading, readingAll, roundTrip, tick, wentThrough, type SloppyStore } from './sloppy-store.js';

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
    because: wentThrough,
  },
  {
    defect: 'writes its list of streams over that of the append',
    change: asking((appends, { metadata, ...options }) => {
      const { commitStreams: _, ...others } = metadata ?? {};
      return [appends, { ...options, ...(typeof metadata === 'object' && { metadata: others }) }];
    }),
    failsIn:
      'append to streams > refuses an event that names its streams in another order, in its own metadata or that of the append',
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
  },
  {
    defect: 'takes the appends to one stream together',
    change: askingParts((parts) => [...new Map(parts.map((part) => [part.streamId, part])).values()]),
    failsIn: 'append to streams > refuses one stream twice',
    because: wentThrough,
  },
  {
    defect: 'passes over a stream that gets no events',
    change: askingParts((parts) => parts.filter(({ events }) => events.length > 0)),
    failsIn: 'append to streams > refuses an append without events',
    because: wentThrough,
  },
  {
    defect: 'passes over what it does not know of an append to a stream',
    change: askingParts((parts) =>
      parts.map(({ streamId, events, expectedVersion = 'any' }) => ({ streamId, events, expectedVersion })),
    ),
    failsIn: 'append to streams > refuses an unknown option of an append',
    because: wentThrough,
  },
  {
    defect: 'passes over options that it does not know',
    change: asking((appends, { commitId, metadata, condition, signal }) => [
      appends,
      { commitId, metadata, condition, signal },
    ]),
    failsIn: 'append to streams > refuses an unknown option',
    because: wentThrough,
  },
  {
    defect: 'never answers an append to streams',
    change: () => ({ appendToStreams: () => new Promise(() => undefined) }),
    failsIn: 'append to streams > appends to 50 streams at once',
    because: /^appendToStreams\(.*\) has not answered/,
    timeout: 200,
  },
];
