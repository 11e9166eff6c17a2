import type { EventFilter, ReadAllOptions, RecordedEvent } from 'temporal-event-store';
import { askingAll, bound, naming, namingCommits, type Change, type SloppyStore } from './sloppy-store.js';

const column = (text: string): string => text.slice(0, 255);
const lower = (text: string): string => text.toLowerCase();
const composed = (text: string): string => text.normalize('NFC');
const unaccented = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '');

/** Reads without a part of the filters, and looks at it afterwards. */
const comparing =
  (
    part: 'types' | 'categories' | 'tags' | 'correlationId',
    partOf: (event: RecordedEvent) => readonly (string | undefined)[],
    isAlike: (stored: string, wanted: string) => boolean,
  ): Change =>
  (store) => ({
    readAll: async (options: ReadAllOptions = {}) => {
      const filters = [options.filter ?? {}].flat() as readonly EventFilter[];
      const wanted = filters.map((filter) => [filter[part] ?? []].flat() as readonly string[]);
      if (
        wanted.some(
          (names) => names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''),
        )
      ) {
        return store.readAll(options);
      }
      const others = filters.map(({ [part]: _, ...filter }) => filter);
      const slice = await store.readAll<never>({ ...options, filter: others });
      const isTaken = (event: RecordedEvent): boolean =>
        wanted
          .flat()
          .some((name) => partOf(event).some((stored) => stored !== undefined && isAlike(stored, name)));
      return { ...slice, events: slice.events.filter(isTaken) };
    },
  });

const categoryOf = (streamId: string): string => streamId.split('-')[0] ?? '';

export const withSloppyNames: readonly SloppyStore[] = [
  {
    defect: 'compares commit ids without case',
    change: namingCommits(lower),
    failsIn: 'names are compared exactly > tells commit ids apart that differ in case',
    because: /got \{"streamId".*"commitId":"order"/,
  },
  {
    defect: 'compares commit ids without accents',
    change: namingCommits(unaccented),
    failsIn: 'names are compared exactly > tells commit ids apart that differ in an accent',
    because: /got \{"streamId".*"commitId":"resume"/,
  },
  {
    defect: 'has a column of 255 characters for commit ids',
    change: namingCommits(column),
    failsIn: 'names are compared exactly > tells commit ids apart that differ in their 900th character',
    because: /got \{"streamId".*"commitId":"x{255}"/,
  },
  {
    defect: 'compares stream ids without case',
    change: naming(lower),
    failsIn: 'names are compared exactly > tells stream ids apart that differ in case',
    because: /got \{"streamId":"\w+-order","version":1/,
  },
  {
    defect: 'normalises stream ids (NFC)',
    change: naming(composed),
    failsIn: 'names are compared exactly > tells stream ids apart that differ in Unicode form',
    because: /got \{"streamId":"\w+-café","version":1/,
  },
  {
    defect: 'pads stream ids with spaces, so that they lose those at their end',
    change: naming((text) => text.trimEnd()),
    failsIn: 'names are compared exactly > tells stream ids apart that differ in a space at the end',
    because: /got \{"streamId":"\w+-space","version":1/,
  },
  {
    defect: 'has a column of 255 characters for stream ids',
    change: naming(column),
    failsIn: 'names are compared exactly > tells stream ids apart that differ in their 900th character',
    because: /got \{"streamId":"\w+-x+","version":1/,
  },
  {
    defect: 'takes the types of a filter for patterns',
    change: comparing(
      'types',
      ({ type }) => [type],
      (stored, wanted) =>
        new RegExp(
          `^${wanted
            .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
            .replaceAll('%', '.*')
            .replaceAll('_', '.')}$`,
          's',
        ).test(stored),
    ),
    failsIn: 'names are compared exactly > filters by types that are nearly alike, and keeps each as it is',
    because: /\{"type":"a_%".*\},\{"type":"abcd"/,
  },
  {
    defect: 'compares the tags of a filter without case',
    change: comparing(
      'tags',
      ({ tags }) => tags,
      (stored, wanted) => lower(stored) === lower(wanted),
    ),
    failsIn: 'names are compared exactly > filters by tags that are nearly alike, and keeps each as it is',
    because: /got \[\{"type":"order".*\},\{"type":"Order"/,
  },
  {
    defect: 'compares categories as the beginnings of stream ids',
    change: comparing(
      'categories',
      ({ streamId }) => [streamId],
      (stored, wanted) => stored.startsWith(wanted),
    ),
    failsIn: 'names are compared exactly > filters by the part of a stream id before its first dash',
    because: /got \[.*"\w+a-b"\]/,
  },
  {
    defect: 'takes what stands before the last dash for the category',
    change: comparing(
      'categories',
      ({ streamId }) => [streamId.split('-').slice(0, -1).join('-') || streamId],
      (stored, wanted) => stored === wanted,
    ),
    failsIn: 'names are compared exactly > filters by the part of a stream id before its first dash',
    because: /Expected \[.*-a-b".*but got \[(?!.*-a-b")/,
  },
  {
    defect: 'compares categories without accents',
    change: comparing(
      'categories',
      ({ streamId }) => [categoryOf(streamId)],
      (stored, wanted) => unaccented(stored) === unaccented(wanted),
    ),
    failsIn: 'names are compared exactly > filters by categories that are nearly alike',
    because: /but got .*cafe\u0301-1","\w+caf\u00e9-1"/,
  },
  {
    defect: 'takes a correlation id for the beginning of one',
    change: comparing(
      'correlationId',
      ({ metadata }) => [metadata.correlationId],
      (stored, wanted) => stored.startsWith(wanted),
    ),
    failsIn:
      'names are compared exactly > filters by correlation ids that are nearly alike, and keeps each as it is',
    because: /\{"type":"space".*\},\{"type":"space "/,
  },
  {
    defect: 'has snapshots by stream, whatever their model',
    change: (store) => ({
      snapshots: {
        load: (streamId, { version }) => store.snapshots.load(streamId, { name: 'all', version }),
        save: (streamId, { version }, ...rest) =>
          store.snapshots.save(streamId, { name: 'all', version }, ...rest),
        delete: (streamId, { version }) => store.snapshots.delete(streamId, { name: 'all', version }),
      },
    }),
    failsIn: 'snapshots > keeps the snapshots of two models of a stream beside each other',
    because:
      /Expected \{"version":5.* but got \{"version":5,"state":\{"balance":7|Expected .* but got undefined/,
  },
  {
    defect: 'compares models of snapshots without spaces at the end',
    change: (store) => ({
      snapshots: {
        ...bound(store.snapshots),
        load: (streamId, model) => store.snapshots.load(streamId, { ...model, name: model.name.trimEnd() }),
        save: (streamId, model, ...rest) =>
          store.snapshots.save(streamId, { ...model, name: model.name.trimEnd() }, ...rest),
      },
    }),
    failsIn:
      'names of snapshots are compared exactly > keeps a snapshot of each of the models that are named nearly alike',
    because: /"state":\{"index":7\}\},\{"version":1,"state":\{"index":7\}/,
  },
  {
    defect: 'compares names of checkpoints without case',
    change: (store) => ({
      checkpoints: {
        ...bound(store.checkpoints),
        load: (name) => store.checkpoints.load(lower(name)),
        save: (name, checkpoint) => store.checkpoints.save(lower(name), checkpoint),
      },
    }),
    failsIn:
      'names of checkpoints are compared exactly > keeps a checkpoint of each of the names that are nearly alike',
    because: /got \[\{"position":1,"storeId":"s"\},\{"position":1/,
  },
  {
    defect: 'has a column of 5 characters for ids of stores',
    change: (store) => ({
      checkpoints: {
        ...bound(store.checkpoints),
        save: (name, { position, storeId }) =>
          store.checkpoints.save(name, { position, storeId: storeId.slice(0, 5) }),
      },
    }),
    failsIn: 'names of checkpoints are compared exactly > tells ids of stores apart that are nearly alike',
    because: /Expected \{"position":3,"storeId":"orderx"\}, but got \{"position":5,"storeId":"order"\}/,
  },
  {
    defect: 'counts types in an object, which has a prototype',
    change: (store) => ({
      statistics: async (options) => {
        const statistics = await store.statistics(options);
        const byType: Record<string, number> = {};
        for (const [type, count] of Object.entries(statistics.byType)) {
          byType[type] = (byType[type] ?? 0) + count;
        }
        return { ...statistics, byType };
      },
    }),
    failsIn:
      'names in statistics are compared exactly > counts types that are nearly alike, or named like what every object has',
    because: /constructor/,
  },
  {
    defect: 'counts categories without case',
    change: (store) => ({
      statistics: async (options) => {
        const statistics = await store.statistics(options);
        const byCategory: Record<string, number> = {};
        for (const [name, count] of Object.entries(statistics.byCategory)) {
          const key = lower(name);
          byCategory[key] = (byCategory[key] ?? 0) + count;
        }
        return { ...statistics, byCategory };
      },
    }),
    failsIn: 'names in statistics are compared exactly > counts categories and streams that are nearly alike',
    because: /order",2\]/,
  },
  {
    defect: 'takes an empty list in a filter for none',
    change: askingAll(({ filter, ...options }) => ({
      ...options,
      ...(filter !== undefined && {
        filter:
          filter === null || Array.isArray(filter)
            ? filter
            : Object.fromEntries(
                Object.entries(filter as object).filter(
                  ([, value]) => !Array.isArray(value) || value.length > 0,
                ),
              ),
      }),
    })),
    failsIn: 'read all > refuses the options {"filter":{"types":[]}}',
    because: /was expected to fail, but went through/,
  },
];
