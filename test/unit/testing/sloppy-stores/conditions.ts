import {
  AppendConditionFailedError,
  isEventStoreError,
  VersionConflictError,
  type AppendCondition,
  type EventFilter,
} from 'temporal-event-store';
import {
  filtersOf,
  firstTagOf,
  lookingFirst,
  onCondition,
  onConditionFilter,
  onConditionFilters,
  settledIn,
  whenRefused,
  without,
  withoutCondition,
} from './conditional.js';
import { roundTrip, wentThrough, type SloppyStore } from './sloppy-store.js';

const wasRefused = /The append depends on events up to position \d+, but/;

const refusedBy = (how: string, call = 'appendToStream'): string =>
  `append conditions > refuses ${call} when the filter takes an event by ${how} that was appended meanwhile`;

const letThrough = (why: string, call = 'appendToStream'): string =>
  `append conditions > lets ${call} through when the event that was appended meanwhile has ${why}`;

const firstOf = (filter: EventFilter, key: 'types' | 'categories' | 'tags'): object => ({
  ...filter,
  ...(Array.isArray(filter[key]) && filter[key].length > 0 && { [key]: filter[key].slice(0, 1) }),
});

export const withSloppyConditions: readonly SloppyStore[] = [
  {
    defect: 'ignores conditions',
    change: onCondition(() => undefined),
    failsIn: refusedBy('its type'),
    because: wentThrough,
  },
  {
    defect: 'ignores conditions of appends to several streams',
    change: (store) => ({
      appendToStreams: (appends, options = {}) => store.appendToStreams(appends, withoutCondition(options)),
    }),
    failsIn: refusedBy('its type', 'appendToStreams'),
    because: wentThrough,
  },
  {
    defect: 'looks for the first of several types only',
    change: onConditionFilter((filter) => firstOf(filter, 'types')),
    failsIn: refusedBy('one of several types'),
    because: wentThrough,
  },
  {
    defect: 'looks for the first of several categories only',
    change: onConditionFilter((filter) => firstOf(filter, 'categories')),
    failsIn: refusedBy('one of several categories'),
    because: wentThrough,
  },
  {
    defect: 'looks for no event by its category',
    change: onCondition((condition) => (filtersOf(condition)[0]?.categories ? undefined : condition)),
    failsIn: refusedBy('its category'),
    because: wentThrough,
  },
  {
    defect: 'looks for no event by its tag alone',
    change: onCondition((condition) => {
      const [{ tags, types } = {}] = filtersOf(condition);
      return tags?.length === 1 && types === undefined ? undefined : condition;
    }),
    failsIn: refusedBy('its tag'),
    because: wentThrough,
  },
  {
    defect: 'looks for tags in the order of the filter',
    change: onConditionFilter((filter) => ({
      ...filter,
      ...(filter.tags?.join() === [...(filter.tags ?? [])].sort().join() ? {} : { types: ['None'] }),
    })),
    failsIn: refusedBy('all of its tags'),
    because: wentThrough,
  },
  {
    defect: 'looks for no event by its correlation id',
    change: onCondition((condition) => (filtersOf(condition)[0]?.correlationId ? undefined : condition)),
    failsIn: refusedBy('its correlation id'),
    because: wentThrough,
  },
  {
    defect: 'looks for no event by all that a filter can have',
    change: onCondition((condition) =>
      Object.keys(filtersOf(condition)[0] ?? {}).length > 3 ? undefined : condition,
    ),
    failsIn: refusedBy('type, category, tag and correlation id'),
    because: wentThrough,
  },
  {
    defect: 'looks at the first of several filters only',
    change: onConditionFilters((filters) => filters.slice(0, 1)),
    failsIn: refusedBy('the last of several filters'),
    because: wentThrough,
  },
  {
    defect: 'names no event in the way',
    change: whenRefused(async ({ message, after }) => {
      throw new AppendConditionFailedError(message, { after, conflict: undefined as never });
    }),
    failsIn: refusedBy('its type'),
    because: /Expected \{"position".*but got undefined/,
  },
  {
    defect: 'tells all of the event in the way',
    change: whenRefused(async ({ message, after, conflict }) => {
      throw new AppendConditionFailedError(message, { after, conflict: { ...conflict, data: {} } as never });
    }),
    failsIn: refusedBy('its tag'),
    because: /but got \{.*"data":\{\}/,
  },
  {
    defect: 'says where the event in the way is, and not what the append depends on',
    change: whenRefused(async ({ message, conflict }) => {
      throw new AppendConditionFailedError(message, { after: conflict.position ?? 0, conflict });
    }),
    failsIn: refusedBy('its category'),
    because: /"after":0\}, but got AppendConditionFailedError/,
  },
  {
    defect: 'stores the last part of an append that its condition refuses',
    change: (store) => ({
      appendToStreams: async (appends, options) => {
        try {
          return await store.appendToStreams(appends, options);
        } catch (error) {
          if (isEventStoreError(error, 'APPEND_CONDITION_FAILED')) {
            await store.appendToStreams(appends.slice(-1));
          }
          throw error;
        }
      },
    }),
    failsIn: refusedBy('its type', 'appendToStreams'),
    because: /Expected \[0,0\], but got \[0,1\]/,
  },
  {
    defect: 'ignores the types of a condition',
    change: onConditionFilter(without('types')),
    failsIn: letThrough('another type'),
    because: wasRefused,
  },
  {
    defect: 'ignores the categories of a condition',
    change: onConditionFilter(without('categories')),
    failsIn: letThrough('another category'),
    because: wasRefused,
  },
  {
    defect: 'ignores the tags of a condition',
    change: onConditionFilter(without('tags')),
    failsIn: letThrough('another tag'),
    because: wasRefused,
  },
  {
    defect: 'takes an event that has any of the tags of a condition',
    change: onConditionFilter((filter) => filter.tags?.map((tag) => ({ ...filter, tags: [tag] })) ?? filter),
    failsIn: letThrough('only one of two tags'),
    because: wasRefused,
  },
  {
    defect: 'looks at the first tag of a filter only',
    change: onConditionFilter((filter) => firstOf(filter, 'tags')),
    failsIn: letThrough('only one of two tags', 'appendToStreams'),
    because: wasRefused,
  },
  {
    defect: 'ignores the correlation id of a condition',
    change: onConditionFilter(without('correlationId')),
    failsIn: letThrough('another correlation id'),
    because: wasRefused,
  },
  {
    defect: 'ignores tags where a filter has types',
    change: onConditionFilter((filter) => (filter.types ? without('tags')(filter) : filter)),
    failsIn: letThrough('the type, but another tag'),
    because: wasRefused,
  },
  {
    defect: 'ignores types where a filter has tags',
    change: onConditionFilter((filter) => (filter.tags ? without('types')(filter) : filter)),
    failsIn: letThrough('the tag, but another type'),
    because: wasRefused,
  },
  {
    defect: 'ignores categories where a filter has tags',
    change: onConditionFilter((filter) => (filter.tags ? without('categories')(filter) : filter)),
    failsIn: letThrough('the tag, but another category'),
    because: wasRefused,
  },
  {
    defect: 'ignores the correlation id where a filter has tags',
    change: onConditionFilter((filter) => (filter.tags ? without('correlationId')(filter) : filter)),
    failsIn: letThrough('the tag, but another correlation id'),
    because: wasRefused,
  },
  {
    defect: 'looks for a correlation id among the tags',
    change: onConditionFilter((filter) =>
      filter.correlationId && !filter.tags ? [filter, { tags: [filter.correlationId] }] : filter,
    ),
    failsIn: letThrough('the correlation id as a tag'),
    because: wasRefused,
  },
  {
    defect: 'looks for a tag among the correlation ids',
    change: onConditionFilter((filter) =>
      filter.tags?.length === 1 && filter.tags[0]
        ? [filter, { ...without('tags')(filter), correlationId: filter.tags[0] }]
        : filter,
    ),
    failsIn: letThrough('the tag as its correlation id'),
    because: wasRefused,
  },
  {
    defect: 'takes tags in other letters for the same',
    change: onConditionFilter((filter) => ({
      ...filter,
      ...(filter.tags && { tags: filter.tags.map((tag) => tag.replace(/\/A$/, '/a')) }),
    })),
    failsIn: letThrough('the tag in other letters'),
    because: wasRefused,
  },
  {
    defect: 'takes an event that has what any of the filters ask for',
    change: onConditionFilters((filters) => [
      ...filters,
      ...filters.map(without('tags')).flatMap((one) => filters.map(({ tags = [] }) => ({ ...one, tags }))),
    ]),
    failsIn: letThrough('only a part of each of two filters'),
    because: wasRefused,
  },
  {
    defect: 'takes a filter for every event for none',
    change: onCondition((condition) =>
      Object.keys(condition.filter ?? { none: 1 }).length === 0 ? undefined : condition,
    ),
    failsIn: 'append conditions > refuses appendToStream after any event, when the filter takes every event',
    because: wentThrough,
  },
  {
    defect: 'looks at the event of the position itself, too',
    change: onCondition((condition) => {
      const settled = settledIn(condition);
      if (settled === undefined || !(settled.position > 0)) return condition;
      return { ...condition, after: { ...settled, position: settled.position - 1 } };
    }),
    failsIn:
      'append conditions > lets appendToStream through when such events were appended before, up to the position itself',
    because: wasRefused,
  },
  {
    defect: 'looks at events from the start',
    change: onCondition((condition) => {
      const settled = settledIn(condition);
      return settled === undefined ? condition : { ...condition, after: { ...settled, position: 0 } };
    }),
    failsIn:
      'append conditions > lets appendToStreams through when such events were appended before, up to the position itself',
    because: wasRefused,
  },
  {
    defect: 'looks at what is in the way after it has stored the events',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        const settled = settledIn(options.condition);
        const filter = options.condition?.filter;
        const result = await store.appendToStream(streamId, events, options);
        if (settled === undefined || filter === undefined || result.deduplicated) return result;
        const { events: found } = await store.readAll({ filter, after: settled.position });
        const [conflict] = found;
        if (conflict) {
          throw new AppendConditionFailedError('In the way', { after: settled.position, conflict });
        }
        return result;
      },
    }),
    failsIn:
      'append conditions > does not count the own events of appendToStream, but those of the one before',
    because: /In the way/,
  },
  {
    defect: 'does not look at events that were appended under a condition',
    change: (store) => {
      const conditional = new Set<string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          try {
            const result = await store.appendToStream(streamId, events, options);
            if (options.condition) for (const id of result.eventIds) conditional.add(id);
            return result;
          } catch (error) {
            if (!(error instanceof AppendConditionFailedError)) throw error;
            if (!conditional.has(error.conflict.id)) throw error;
            return store.appendToStream(streamId, events, withoutCondition(options));
          }
        },
      };
    },
    failsIn:
      'append conditions > does not count the own events of appendToStream, but those of the one before',
    because: wentThrough,
  },
  {
    defect: 'remembers by its commit id what an append depended on',
    change: (store) => {
      const known = new Map<string, AppendCondition>();
      return lookingFirst(async (_store, options) => {
        const { commitId, condition } = options;
        if (commitId === undefined || condition === undefined) return options;
        const first = known.get(commitId) ?? condition;
        known.set(commitId, first);
        return { ...options, condition: first };
      })(store);
    },
    failsIn: 'append conditions > lets appendToStream through once its caller has read on and decided again',
    because: wasRefused,
  },
  {
    defect: 'remembers the commit id of an append that its condition refused',
    change: (store) => {
      const refused = new Set<string>();
      const remembering = whenRefused(async (error, _store, append, streamIds) => {
        await append((options) => {
          for (const streamId of streamIds) refused.add(`${streamId}/${String(options.commitId)}`);
          return options;
        }).catch(() => undefined);
        throw error;
      })(store);
      return {
        ...remembering,
        appendToStream: async (streamId, events, options = {}) => {
          const result = await remembering.appendToStream(streamId, events, options);
          return { ...result, deduplicated: refused.has(`${streamId}/${String(options.commitId)}`) };
        },
      };
    },
    failsIn:
      'append conditions > leaves streams and commit id of appendToStreams as they were when it was refused',
    because: /"deduplicated":false\}, but got .*"deduplicated":true/,
  },
  {
    defect: 'makes the stream of an append that its condition refuses',
    change: (store) => {
      const made = new Set<string>();
      return {
        ...whenRefused(async (error, _store, _append, streamIds) => {
          for (const streamId of streamIds) made.add(streamId);
          throw error;
        })(store),
        readStream: async (streamId, options) => {
          const slice = await store.readStream<never>(streamId, options);
          return { ...slice, version: made.has(streamId) ? slice.version + 1 : slice.version };
        },
      };
    },
    failsIn:
      'append conditions > leaves streams and commit id of appendToStream as they were when it was refused',
    because: /"version":0.*but got .*"version":1/,
  },
  {
    defect: 'reads a condition when it is its turn',
    change: (store) => ({
      appendToStream: async (streamId, events, options) => {
        await roundTrip();
        return store.appendToStream(streamId, events, options);
      },
    }),
    failsIn:
      'append conditions > keeps to the condition of appendToStream as it was given, whatever the caller does with it later',
    because: wentThrough,
  },
  {
    defect: 'sorts the tags of a filter where they are',
    change: onConditionFilter((filter) => {
      (filter.tags as string[] | undefined)?.sort();
      return filter;
    }),
    failsIn: 'append conditions > takes a condition of appendToStream from a caller that has frozen it',
    because: /read only property/,
  },
  {
    defect: 'does not look at other streams than the home stream of an append',
    change: (store) => {
      const elsewhere = new Set<string>();
      return {
        appendToStreams: async (...args) => {
          const result = await store.appendToStreams(...args);
          for (const { eventIds } of result.parts.slice(1)) for (const id of eventIds) elsewhere.add(id);
          return result;
        },
        appendToStream: whenRefused((error, _store, append) => {
          if (!elsewhere.has(error.conflict.id)) throw error;
          return append(withoutCondition);
        })(store).appendToStream,
      };
    },
    failsIn: 'append conditions > looks at the events of every part of an append to streams',
    because: wentThrough,
  },
  {
    defect: 'looks at other streams only',
    change: whenRefused((error, _store, append, streamIds) => {
      if (!streamIds.includes(error.conflict.streamId)) throw error;
      return append(withoutCondition);
    }),
    failsIn: 'append conditions > looks at the stream of the append, too',
    because: wentThrough,
  },
  {
    defect: 'looks at the events of appends that it has refused',
    change: (store) => {
      const refused = new Map<string, string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const tag = options.condition && firstTagOf(options.condition);
          // Its turn comes after the others'.
          if (tag !== undefined) await roundTrip();
          const by = refused.get(tag ?? 'none');
          if (by !== undefined) {
            const conflict = { streamId: by, type: 'Refused', id: 'id' };
            throw new AppendConditionFailedError('Of a refused append', { after: 0, conflict });
          }
          try {
            return await store.appendToStream(streamId, events, options);
          } catch (error) {
            if (error instanceof VersionConflictError) refused.set(events[0]?.tags?.[0] ?? '', streamId);
            throw error;
          }
        },
      };
    },
    failsIn: 'append conditions > passes over the events of an append that was refused',
    because: /Expected \["\w+-2"\], but got \[\]/,
  },
  {
    defect: 'looks at the first 100 tags of an event',
    change: (store) => {
      const kept = new Map<string, readonly string[]>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          try {
            const result = await store.appendToStream(streamId, events, options);
            for (const [index, id] of result.eventIds.entries()) {
              kept.set(id, events[index]?.tags?.slice(0, 100) ?? []);
            }
            return result;
          } catch (error) {
            if (!(error instanceof AppendConditionFailedError) || options.condition === undefined) {
              throw error;
            }
            const tag = firstTagOf(options.condition);
            if (tag === undefined || kept.get(error.conflict.id)?.includes(tag)) throw error;
            return store.appendToStream(streamId, events, withoutCondition(options));
          }
        },
      };
    },
    failsIn: 'append conditions > finds an event by any of its 300 tags',
    because: wentThrough,
  },
  {
    defect: 'looks for the first 50 tags of a filter',
    change: onConditionFilter((filter) => ({
      ...filter,
      ...(filter.tags && { tags: filter.tags.slice(0, 50) }),
    })),
    failsIn: 'append conditions > finds an event by any of its 300 tags',
    because: wasRefused,
  },
  {
    defect: 'looks at the first 50 filters',
    change: onConditionFilters((filters) => filters.slice(0, 50)),
    failsIn: 'append conditions > takes 100 filters, and finds what the last of them takes',
    because: wentThrough,
  },
  {
    defect: 'looks at the last thousand events',
    change: (store) =>
      lookingFirst(async (_store, options) => {
        const settled = settledIn(options.condition);
        const [last] = (await store.readAll({ direction: 'backward', limit: 1 })).events;
        if (settled === undefined || last === undefined || settled.position > last.position) return options;
        const position = Math.max(settled.position, last.position - 1000);
        return { ...options, condition: { ...options.condition, after: { ...settled, position } } };
      })(store),
    failsIn: 'append conditions > finds an event that a thousand others came after',
    because: wentThrough,
  },
];
