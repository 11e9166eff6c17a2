import type { EventFilter, RecordedEvent } from 'temporal-event-store';
import {
  askingAll,
  askingStream,
  readingAll,
  readingStream,
  roundTrip,
  tick,
  type SloppyStore,
} from './sloppy-store.js';

/** A filter of one object that has all that is asked for; others are left to the store. */
function onFilter(change: (filter: EventFilter) => unknown): SloppyStore['change'] {
  return askingAll(({ filter, ...options }) => ({
    ...options,
    ...(filter !== undefined && {
      filter:
        typeof filter === 'object' && filter !== null && !Array.isArray(filter)
          ? change(filter as EventFilter)
          : filter,
    }),
  }));
}

const onFilters = (change: (filters: readonly EventFilter[]) => unknown): SloppyStore['change'] =>
  askingAll(({ filter, ...options }) => ({
    ...options,
    ...(filter !== undefined && {
      filter: Array.isArray(filter) && filter.length > 1 ? change(filter) : filter,
    }),
  }));

export const withSloppyReads: readonly SloppyStore[] = [
  {
    defect: 'reads from the version after fromVersion',
    change: askingStream((options) => ({
      ...options,
      ...(Number(options.fromVersion) > 1 &&
        options.direction !== 'backward' && { fromVersion: Number(options.fromVersion) + 1 }),
    })),
    failsIn: 'read a stream > reads {"fromVersion":4} of five events',
    because: /Expected \[4,5\], but got \[5\]/,
  },
  {
    defect: 'reads as far as the version before toVersion',
    change: askingStream((options) => ({
      ...options,
      ...(Number(options.toVersion) > 0 &&
        options.direction !== 'backward' && { toVersion: Number(options.toVersion) - 1 }),
    })),
    failsIn: 'read a stream > reads {"toVersion":3} of five events',
    because: /Expected \[1,2,3\], but got \[1,2\]/,
  },
  {
    defect: 'reads backward from the end, wherever it is asked to begin',
    change: askingStream(({ fromVersion, ...options }) =>
      options.direction === 'backward'
        ? options
        : { ...options, ...(fromVersion !== undefined && { fromVersion }) },
    ),
    failsIn: 'read a stream > reads {"direction":"backward","fromVersion":3,"limit":2} of five events',
    because: /Expected \[3,2\], but got \[5,4\]/,
  },
  {
    defect: 'reads the first events when it reads backward, and turns them round',
    change: (store) => ({
      readStream: async (streamId, options = {}) => {
        if (options.direction !== 'backward' || options.limit === undefined) {
          return store.readStream(streamId, options);
        }
        const slice = await store.readStream<never>(streamId, { limit: options.limit });
        return { ...slice, events: [...slice.events].reverse() };
      },
    }),
    failsIn: 'read a stream > reads {"direction":"backward","limit":2} of five events',
    because: /Expected \[5,4\], but got \[2,1\]/,
  },
  {
    defect: 'gives one event more than the limit, by which it knows that there are more',
    change: askingStream((options) => ({
      ...options,
      ...(Number(options.limit) > 0 &&
        Number.isSafeInteger(options.limit) && { limit: Number(options.limit) + 1 }),
    })),
    failsIn: 'read a stream > reads {"limit":2} of five events',
    because: /Expected \[1,2\], but got \[1,2,3\]/,
  },
  {
    defect: 'says the version of the last event of a page for that of the stream',
    change: readingStream((slice) => ({ ...slice, version: slice.events.at(-1)?.version ?? slice.version })),
    failsIn: 'read a stream > reads {"limit":2} of five events',
    because: /"version":5.*but got .*"version":2/,
  },
  {
    defect: 'never says that it is at its end on a full page',
    change: readingStream((slice, { limit }) =>
      limit !== undefined && slice.events.length === limit ? { ...slice, isEnd: false } : slice,
    ),
    failsIn: 'read a stream > reads {"limit":5} of five events',
    because: /"isEnd":true.*but got .*"isEnd":false/,
  },
  {
    defect: 'gives a hundred events at most, and says that it is at its end',
    change: (store) => ({
      readStream: async (streamId, options) => {
        const slice = await store.readStream<never>(streamId, options);
        return slice.events.length > 100
          ? { ...slice, events: slice.events.slice(0, 100), isEnd: true }
          : slice;
      },
    }),
    failsIn: 'commits of many events > says isEnd only where nothing is left, however many are asked for',
    because: /Expected \[\[1,2,3/,
  },
  {
    defect: 'has no limit where none is given',
    change: askingStream((options) => ({ ...options, limit: options.limit ?? 1_000_000 })),
    failsIn:
      'commits of many events > gives 500 events of a stream where no limit is given, and says that there are more',
    because: /Expected \[501,500,false\], but got \[501,501,true\]/,
  },
  {
    defect: 'ignores the signal of a read of a stream',
    change: askingStream(({ signal: _, ...options }) => options),
    failsIn: 'read a stream > rejects with the reason of an aborted signal',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'ignores the signal of a read of all',
    change: askingAll(({ signal: _, ...options }) => options),
    failsIn: 'read all > rejects with the reason of an aborted signal',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'reads all from the position on, and not after it',
    change: askingAll((options) => ({
      ...options,
      ...(Number(options.after) > 0 &&
        Number.isSafeInteger(options.after) &&
        Number(options.after) < Number.MAX_SAFE_INTEGER &&
        options.direction !== 'backward' && { after: Number(options.after) - 1 }),
    })),
    failsIn: 'read all > goes on from the last position without losing or repeating an event',
    because: /Expected \[1,2,3,4,5,6\], but got \[1,1,2/,
  },
  {
    defect: 'names another store in each slice',
    change: readingAll((slice) => ({ ...slice, storeId: crypto.randomUUID() })),
    failsIn: 'read all > names the store in every slice',
    because: /Expected "[\da-f-]{36}", but got "/,
  },
  {
    defect: 'gives an empty page of a position that it does not have',
    change: (store) => ({
      readAll: async (options = {}) => {
        const { position, storeId } = await store.readAll({ direction: 'backward', limit: 1 });
        return Number(options.after) > position
          ? { events: [], isEnd: true, position: Number(options.after), storeId }
          : store.readAll(options);
      },
    }),
    failsIn: 'read all > refuses a position ahead of the store',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'joins the conditions of a filter by or',
    change: onFilter((filter) => {
      const parts = Object.entries(filter).map(([key, value]) => ({ [key]: value as unknown }));
      return parts.length > 1 ? parts : filter;
    }),
    failsIn: 'read all > filters by a type, in both directions and page by page',
    because: /Expected \["-1@2","x-1@1"\], but got \["-1@1"/,
  },
  {
    defect: 'joins filters by and',
    change: onFilters((filters) => Object.assign({}, ...filters) as unknown),
    failsIn: 'read all > filters by any of two filters, in both directions and page by page',
    because: /Expected \["x-1@1","-1@3"\], but got \["-1@3"\]/,
  },
  {
    defect: 'mixes the conditions of its filters',
    change: onFilters((filters) => {
      const merged: Record<string, unknown> = {};
      for (const filter of filters) {
        for (const [key, value] of Object.entries(filter)) {
          merged[key] = Array.isArray(value)
            ? [...((merged[key] as unknown[]) ?? []), ...(value as unknown[])]
            : value;
        }
      }
      return merged;
    }),
    failsIn: 'read all > takes an event only when one of several filters takes all of it',
    because: /Expected \["\w+-2","\w+x-1"\], but got \[\]/,
  },
  {
    defect: 'gives an event again for each filter that takes it, as union all does',
    change: (store) => ({
      readAll: async (options = {}) => {
        const slice = await store.readAll<never>(options);
        const filters = options.filter;
        if (!Array.isArray(filters) || filters.length < 2) return slice;
        const takes = await Promise.all(
          filters.map((filter: EventFilter) => store.readAll({ filter, limit: 1_000 })),
        );
        const copies = (event: RecordedEvent): number =>
          takes.filter(({ events }) => events.some(({ id }) => id === event.id)).length;
        return {
          ...slice,
          events: slice.events.flatMap((event) => Array(copies(event)).fill(event) as never[]),
        };
      },
    }),
    failsIn: 'read all > reads an event once that two filters take',
    because: /Expected \["Opened","Paid","Opened","Closed"\], but got \["Opened","Opened"/,
  },
  {
    defect: 'takes an event that has any of the tags',
    change: onFilter((filter) =>
      Array.isArray(filter.tags) && filter.tags.length > 1
        ? filter.tags.map((tag: string) => ({ ...filter, tags: [tag] }))
        : filter,
    ),
    failsIn: 'read all > filters by all of two tags, in both directions and page by page',
    because: /Expected \["-1@2"\], but got \["-1@1","-1@2"\]/,
  },
  {
    defect: 'looks at the first of several types only',
    change: onFilter((filter) => ({
      ...filter,
      ...(Array.isArray(filter.types) && { types: filter.types.slice(0, 1) }),
    })),
    failsIn: 'read all > filters by two types, in both directions and page by page',
    because: /Expected \["-1@2","-1@3"\], but got \["-1@2"\]/,
  },
  {
    defect: 'takes events after occurredFrom, and not at it',
    change: onFilter((filter) => ({
      ...filter,
      ...(/T.*Z$/.test(String(filter.occurredFrom)) && {
        occurredFrom: new Date(Date.parse(String(filter.occurredFrom)) + 1),
      }),
    })),
    failsIn: 'read all > filters by times from, in both directions and page by page',
    because: /Expected \["-2@1","-1@3"\], but got \["-1@3"\]/,
  },
  {
    defect: 'finds an event by its own correlation id, and not by that of its append',
    change: (store) => {
      const shared = new Set<string>();
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          for (const [index, id] of result.eventIds.entries()) {
            if (events[index]?.metadata?.correlationId === undefined) shared.add(id);
          }
          return result;
        },
        readAll: async (options = {}) => {
          const slice = await store.readAll<never>(options);
          const isFiltered = (options.filter as EventFilter | undefined)?.correlationId !== undefined;
          return isFiltered ? { ...slice, events: slice.events.filter(({ id }) => !shared.has(id)) } : slice;
        },
      };
    },
    failsIn: 'read all > filters by the correlation id that an append gives to all its events',
    because: /Expected \["Shared"\], but got \[\]/,
  },
  {
    defect: 'filters by the times that were given, and none by the others',
    change: (store) => {
      const timeless = new Set<string>();
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          for (const [index, id] of result.eventIds.entries()) {
            if (events[index]?.occurredAt === undefined) timeless.add(id);
          }
          return result;
        },
        readAll: async (options = {}) => {
          const slice = await store.readAll<never>(options);
          const { occurredFrom, occurredTo } = (options.filter ?? {}) as EventFilter;
          return occurredFrom === undefined && occurredTo === undefined
            ? slice
            : { ...slice, events: slice.events.filter(({ id }) => !timeless.has(id)) };
        },
      };
    },
    failsIn: 'read all > filters by the time of an event that was given none',
    because: /Expected \[1,0\], but got \[0,0\]/,
  },
  {
    defect: 'orders events by their times',
    change: readingAll((slice, { direction }) => ({
      ...slice,
      events: [...slice.events].sort(
        (one, other) => (direction === 'backward' ? -1 : 1) * one.occurredAt.localeCompare(other.occurredAt),
      ),
    })),
    failsIn: 'read all > orders events by their positions, whatever their times say',
    because: /Expected \["03","02","01"\], but got \["01","02","03"\]/,
  },
  {
    defect: 'orders the events of a stream by their times',
    change: readingStream((slice) => ({
      ...slice,
      events: [...slice.events].sort((one, other) => one.occurredAt.localeCompare(other.occurredAt)),
    })),
    failsIn: 'read all > orders events by their positions, whatever their times say',
    because: /Expected \["03","01"\], but got \["01","03"\]/,
  },
  {
    defect: 'says the position of the last event that a filter took',
    change: readingAll((slice, { after = 0 }) => ({
      ...slice,
      position: slice.events.at(-1)?.position ?? after,
    })),
    failsIn: 'read all > gives a position past what the filter left out',
    because: /Expected true, but got false/,
  },
  {
    defect: 'begins again after an empty page',
    change: readingAll((slice) => (slice.events.length === 0 ? { ...slice, position: 0 } : slice)),
    failsIn: 'read all > stays where it is when there is nothing new',
    because: /Expected true, but got false/,
  },
  {
    defect: 'reads where the store ends after it has read the page',
    change: (store) => ({
      appendToStream: async (streamId, events, options) => {
        await tick();
        return store.appendToStream(streamId, events, options);
      },
      readAll: async (options) => {
        const page = await store.readAll<never>(options);
        if (!page.isEnd || options?.direction === 'backward') return page;
        await tick();
        const { events } = await store.readAll({ direction: 'backward', limit: 1 });
        return { ...page, position: events[0]?.position ?? page.position };
      },
    }),
    failsIn: 'reading while others append > misses nothing and repeats nothing, page after page',
    because: /Expected \[\["0",\[1,2,3,4,5,6\]\]/,
  },
  {
    defect: 'leaves a gap of what is not committed yet behind',
    change: (store) => {
      /** What ends the wait of the append of each event that can't be seen yet. */
      const late = new Map<string, () => void>();
      let count = 0;
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          if (++count % 3 !== 0) return result;
          // Committed after one with a higher position, which a reader has met; or, where none comes, at some time.
          await new Promise<void>((resolve) => {
            for (const id of result.eventIds) late.set(id, resolve);
            setTimeout(resolve, 50);
          });
          for (const id of result.eventIds) late.delete(id);
          return result;
        },
        readAll: async (options) => {
          const slice = await store.readAll<never>(options);
          const stored: readonly RecordedEvent[] = slice.events;
          const events = slice.events.filter(({ id }) => !late.has(id));
          const last = stored.findLast(({ id }) => !late.has(id))?.position ?? 0;
          for (const { id, position } of stored) {
            if (position < last) late.get(id)?.();
          }
          return { ...slice, events };
        },
      };
    },
    failsIn:
      'reading while others append > misses nothing and repeats nothing in a subscription that began before',
    because: /Expected \[\["0",\[1,2,3,4,5,6\]\]|waited .* for what did not come/,
    timeout: 500,
  },
  {
    defect: 'reads its events and its version at two moments',
    change: (store) => ({
      appendToStream: async (streamId, events, options) => {
        const result = await store.appendToStream(streamId, events, options);
        await roundTrip();
        return result;
      },
      readStream: async (streamId, options) => {
        const slice = await store.readStream<never>(streamId, options);
        await roundTrip();
        await tick();
        const { version } = await store.readStream(streamId, { limit: 1 });
        return { ...slice, version };
      },
    }),
    failsIn: 'reading while others append > reads a stream as it was at one moment',
    because: /Expected \[1,2.*\], but got \[/,
  },
  {
    defect: 'reads a copy that lags behind',
    change: (store) => {
      let visible = 0;
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          setTimeout(() => (visible = Math.max(visible, result.position)), 5);
          return result;
        },
        readAll: async (options) => {
          const slice = await store.readAll<never>(options);
          return { ...slice, events: slice.events.filter(({ position }) => position <= visible) };
        },
      };
    },
    failsIn: 'reading while others append > has what an append stored, as soon as it has answered',
    because: /Expected \[1,1,1\], but got \[1,null,null\]/,
  },
];
