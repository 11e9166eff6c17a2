import type { EventMetadata, EventToAppend } from 'temporal-event-store';
import {
  appending,
  appendingEvents,
  reading,
  readingAll,
  readingStream,
  type SloppyStore,
} from './sloppy-store.js';

/** What JSON makes of a value, with each part changed. */
function revived<T>(value: T, change: (key: string, part: unknown) => unknown): T {
  return JSON.parse(JSON.stringify(value), change) as T;
}

/** Changes the data that are read. */
const readingData = (change: (data: never) => unknown) =>
  reading((event) => ({ ...event, data: change(event.data as never) }));

/** Changes the JSON text of what is appended, where there is one. */
const appendingText = (change: (text: string) => string) =>
  appending((events, options) => {
    try {
      return [Array.isArray(events) ? JSON.parse(change(JSON.stringify(events))) : events, options];
    } catch {
      return [events, options];
    }
  });

export const withSloppyEvents: readonly SloppyStore[] = [
  {
    defect: 'gives events other ids in each read of all',
    change: readingAll((slice) => ({
      ...slice,
      events: slice.events.map((event) => ({ ...event, id: crypto.randomUUID() })),
    })),
    failsIn: 'an event stays the same > has the same id in each read, now and later',
    because: /Expected \["[\da-f-]{36}","[\da-f-]{36}"\], but got/,
  },
  {
    defect: 'takes the time of a read for the time of recording',
    change: readingStream((slice) => ({
      ...slice,
      events: slice.events.map((event) => ({ ...event, recordedAt: new Date().toISOString() })),
    })),
    failsIn: 'an event stays the same > has the same time of recording in each read, now and later',
    because: /Expected \["\d{4}-.*\], but got \["\d{4}-/,
  },
  {
    defect: 'gives other positions in the reads of a stream',
    change: readingStream((slice) => ({
      ...slice,
      events: slice.events.map((event) => ({ ...event, position: event.version })),
    })),
    failsIn: 'an event stays the same > has the same parts in each read',
    because: /"position":1,.*but got .*"position":3,/,
  },
  {
    defect: 'leaves the tags out where it reads all',
    change: readingAll((slice) => ({
      ...slice,
      events: slice.events.map((event) => ({ ...event, tags: [] })),
    })),
    failsIn: 'an event stays the same > has the same parts in each read',
    because: /"tags":\["y","x"\].*but got .*"tags":\[\]/,
  },
  {
    defect: 'keeps times in whole seconds',
    change: reading((event) => ({ ...event, occurredAt: `${event.occurredAt.slice(0, 19)}.000Z` })),
    failsIn: 'append > keeps every part of an event',
    because: /10:30:00.250Z.*but got .*10:30:00.000Z/,
  },
  {
    defect: 'gives times as the server writes them',
    change: reading((event) => ({
      ...event,
      recordedAt: event.recordedAt.replace('T', ' ').replace('Z', '+00'),
    })),
    failsIn: 'append > fills in the schema version, tags, metadata and times that are not given',
    because: /Expected true, but got false/,
  },
  {
    defect: 'normalises texts (NFC)',
    change: appendingText((text) => text.normalize('NFC')),
    failsIn: 'what goes in comes out > keeps text in each Unicode form',
    because: /Expected .*but got/,
  },
  {
    defect: 'trims texts',
    change: readingData((data) =>
      revived(data, (_key, part) => (typeof part === 'string' ? part.trim() : part)),
    ),
    failsIn: 'what goes in comes out > keeps spaces at the ends of text',
    because: /Expected .* a .*but got .*\["?\\?"?a/,
  },
  {
    defect: 'rounds large integers',
    change: readingData((data) =>
      revived(data, (_key, part) =>
        typeof part === 'number' && Math.abs(part) >= 2 ** 31 ? Math.fround(part) : part,
      ),
    ),
    failsIn: 'what goes in comes out > keeps the ends of the number range',
    because: /9007199254740991.*but got .*9007199254740992/,
  },
  {
    defect: 'keeps fifteen digits of a number',
    change: readingData((data) =>
      revived(data, (_key, part) => (typeof part === 'number' ? Number(part.toPrecision(15)) : part)),
    ),
    failsIn: 'what goes in comes out > keeps numbers with all their digits',
    because: /0\.30000000000000004.*but got .*0\.3,/,
  },
  {
    defect: 'sorts keys, as jsonb does',
    change: readingData((data) =>
      revived(data, (_key, part) =>
        typeof part === 'object' && part !== null && !Array.isArray(part)
          ? Object.fromEntries(
              Object.entries(part).sort(
                ([one], [other]) => one.length - other.length || (one < other ? -1 : 1),
              ),
            )
          : part,
      ),
    ),
    failsIn: 'what goes in comes out > keeps keys in their order',
    because: /\{.*b.*:1.*but got .*B.*:3/,
  },
  {
    defect: 'turns texts that look like times into times',
    change: readingData((data) =>
      revived(data, (_key, part) =>
        typeof part === 'string' && /^\d{4}-\d\d-\d\d$/.test(part) ? new Date(part) : part,
      ),
    ),
    failsIn: 'what goes in comes out > keeps text that looks like something else',
    because: /2024-01-01.*but got .*2024-01-01T00:00:00.000Z/,
  },
  {
    defect: 'copies data key by key, so that __proto__ is set and not kept',
    change: readingData((data: unknown) => {
      const copy = (value: unknown): unknown => {
        if (typeof value !== 'object' || value === null) return value;
        if (Array.isArray(value)) return value.map(copy);
        const target: Record<string, unknown> = {};
        for (const [key, part] of Object.entries(value)) target[key] = copy(part);
        return target;
      };
      return copy(data);
    }),
    failsIn: 'what goes in comes out > keeps __proto__ as a key',
    because: /__proto__.*but got (?!.*__proto__)/,
  },
  {
    defect: 'replaces lone surrogates',
    change: appendingEvents((event: EventToAppend) => ({
      ...event,
      data: replaced(event.data),
    })),
    failsIn: 'what goes in comes out > refuses a lone surrogate with its path',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'drops what is undefined in an array',
    change: appendingEvents((event: { data: unknown }) => ({
      ...event,
      data:
        typeof event.data === 'object' && Array.isArray((event.data as { a?: unknown } | null)?.a)
          ? { a: (event.data as { a: unknown[] }).a.filter((part) => part !== undefined) }
          : event.data,
    })),
    failsIn: 'what goes in comes out > refuses undefined in an array with its path',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'cuts text of metadata at a zero',
    change: reading((event) => ({
      ...event,
      metadata: revived(event.metadata, (_key, part) =>
        typeof part === 'string' ? part.split('\0')[0] : part,
      ),
    })),
    failsIn: 'what goes in comes out > keeps all of this in metadata, too',
    because: /zero \\+u0000.*but got .*"zero \\*"/s,
  },
  {
    defect: 'mixes the parts of metadata',
    change: appending((events, { metadata, ...options }) => [
      Array.isArray(events) && metadata !== undefined
        ? events.map((event: EventToAppend) => ({ ...event, metadata: mixed(metadata, event.metadata) }))
        : events,
      options,
    ]),
    failsIn: "append > replaces a part of the append's metadata by the event's own, and doesn't mix them",
    because: /"tenant":\{"id":7\}.*but got .*"tenant":\{"name":"x","id":7\}/,
  },
  {
    defect: "lets the append's metadata win over an event's own",
    change: appending((events, options) => [
      Array.isArray(events) && options.metadata !== undefined
        ? events.map((event: EventToAppend) => ({
            ...event,
            metadata: { ...event.metadata, ...options.metadata },
          }))
        : events,
      options,
    ]),
    failsIn: "append > merges the append's metadata under each event's own",
    because: /\["bob","ann"\], but got \["ann","ann"\]/,
  },
  {
    defect: 'sorts tags and keeps each once',
    change: reading((event) => ({ ...event, tags: [...new Set(event.tags)].sort() })),
    failsIn: 'append > keeps tags in their order, and a tag that is given twice',
    because: /\["b","a","c","a"\], but got \["a","b","c"\]/,
  },
  {
    defect: 'has a column of 255 characters for types and tags',
    change: reading((event) => ({
      ...event,
      type: event.type.slice(0, 255),
      tags: event.tags.map((tag) => tag.slice(0, 255)),
    })),
    failsIn: 'append > keeps names of 1,000 bytes and the largest schema version',
    because: /Expected \{"type":"x+/,
  },
  {
    defect: 'has a column of 16 bits for schema versions',
    change: reading((event) => ({ ...event, schemaVersion: Math.min(event.schemaVersion, 32_767) })),
    failsIn: 'append > keeps names of 1,000 bytes and the largest schema version',
    because: /Expected \{"type":"x+/,
  },
  {
    defect: 'shares events with those who read them',
    change: (store) => {
      const kept = new Map<string, unknown>();
      return reading((event) => kept.get(event.id) ?? (kept.set(event.id, event), event))(store);
    },
    failsIn: 'an event stays the same > does not change when a reader changes what it got',
    because: /but got .*changed/,
  },
  {
    defect: 'shares data with the one who appends them',
    change: (store) => {
      const given = new Map<string, unknown>();
      return {
        ...reading((event) => ({ ...event, data: given.get(event.id) ?? event.data }))(store),
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          for (const [index, id] of result.eventIds.entries()) given.set(id, events[index]?.data);
          return result;
        },
      };
    },
    failsIn: 'what goes in comes out > does not change when the caller changes its objects later',
    because: /"lines":\[1\].*but got .*"lines":\[1,2/,
  },
  {
    defect: 'copies data by structuredClone, and not as JSON',
    change: (store) => {
      const given = new Map<string, unknown>();
      return {
        ...reading((event) => ({ ...event, data: structuredClone(given.get(event.id) ?? event.data) }))(
          store,
        ),
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          for (const [index, id] of result.eventIds.entries()) {
            given.set(id, structuredClone(events[index]?.data));
          }
          return result;
        },
      };
    },
    failsIn: 'what goes in comes out > takes an undefined property for an absent one, and -0 for 0',
    because: /\[\["b","c"\],\[\]\], but got \[\["a","b","c"\],\["d"\]\]/,
  },
  {
    defect: 'keeps -0, which JSON does not have',
    change: readingData((data: { b?: unknown } | null) => (data?.b === 0 ? { ...data, b: -0 } : data)),
    failsIn: 'what goes in comes out > takes an undefined property for an absent one, and -0 for 0',
    because: /Expected true, but got false/,
  },
  {
    defect: 'gives all events of a commit one position',
    change: (store) => {
      const positions = new Map<string, number>();
      return {
        ...reading((event) => ({ ...event, position: positions.get(event.id) ?? event.position }))(store),
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          for (const id of result.eventIds) positions.set(id, result.position);
          return result;
        },
      };
    },
    failsIn: 'append > gives versions from 1 without gaps, and positions that grow',
    because: /Expected 5, but got 2/,
  },
  {
    defect: 'writes into the events that it is given',
    change: appendingEvents((event: { occurredAt?: unknown; metadata?: EventMetadata }) => {
      event.occurredAt ??= undefined;
      event.metadata = { ...event.metadata };
      return event;
    }),
    failsIn: 'an event stays the same > is taken from a caller that has frozen it, and left as it was',
    because: /Cannot (add|assign)/,
  },
];

function mixed(one: unknown, other: unknown): unknown {
  const isParts = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isParts(one) || !isParts(other)) return other ?? one;
  const parts: Record<string, unknown> = { ...one };
  for (const [key, part] of Object.entries(other)) parts[key] = mixed(parts[key], part);
  return parts;
}

/** Where a text stands in an object of one level. */
function replaced(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) {
    return data;
  }
  return Object.fromEntries(
    Object.entries(data).map(([key, part]: [string, unknown]) => [
      key,
      typeof part === 'string' ? part.toWellFormed() : part,
    ]),
  );
}
