import { isEventStoreError } from 'temporal-event-store';
import { readingAll, type SloppyStore } from './sloppy-store.js';

const never = (): Promise<never> => new Promise(() => undefined);
const timeout = 200;

export const thatNeverEnd: readonly SloppyStore[] = [
  {
    defect: 'never answers an append',
    change: () => ({ appendToStream: never }),
    failsIn: 'append > keeps every part of an event',
    because: /^appendToStream\("\w+-1", \[.*\) has not answered within the 200 ms of the case\.$/,
    timeout,
  },
  {
    defect: 'never answers the second of two appends that come at once',
    change: (store) => {
      let isBusy = false;
      return {
        appendToStream: async (...args) => {
          if (isBusy) return never();
          isBusy = true;
          await Promise.resolve();
          isBusy = false;
          return store.appendToStream(...args);
        },
      };
    },
    failsIn: 'expected version > keeps the events of concurrent appends together and in order',
    because: /^appendToStream\(.*\) has not answered within the 200 ms of the case, nor have 10 others\.$/,
    timeout,
  },
  {
    defect: 'holds its lock after an append that it refused',
    change: (store) => {
      let isLocked = false;
      return {
        appendToStream: async (...args) => {
          if (isLocked) return never();
          try {
            return await store.appendToStream(...args);
          } catch (error) {
            isLocked = isEventStoreError(error, 'VERSION_CONFLICT');
            throw error;
          }
        },
      };
    },
    failsIn: 'exactly once > leaves a commit id free when its append was refused',
    because: /^appendToStream\(.*\{"commitId":"c"\}\) has not answered/,
    timeout,
  },
  {
    defect: 'never answers a read of a stream',
    change: () => ({ readStream: never }),
    failsIn: 'read a stream > reads one stream only',
    because: /^readStream\("\w+-1"\) has not answered/,
    timeout,
  },
  {
    defect: 'never answers a read of all',
    change: () => ({ readAll: never }),
    failsIn: 'read all > goes on from the last position without losing or repeating an event',
    because: /^readAll\(\{"filter".*\) has not answered/,
    timeout,
  },
  {
    defect: 'gives the first page of a stream again and again',
    change: (store) => ({
      readStream: async (streamId, { fromVersion: _, ...options } = {}) => {
        const slice = await store.readStream<never>(streamId, options);
        return { ...slice, isEnd: false };
      },
    }),
    failsIn: 'read a stream > iterates page by page, in both directions',
    because:
      /^The case has made 1000 calls and is not done; the last was readStream\(.*Page after page must lead on/,
  },
  {
    defect: 'gives the first page of all again and again',
    change: (store) => ({ readAll: async ({ after: _, ...options } = {}) => store.readAll(options) }),
    failsIn: 'read all > filters by a category, in both directions and page by page',
    because:
      /^The case has made 1000 calls and is not done; the last was readAll\(.*Page after page must lead on/,
  },
  {
    defect: 'never says that it is at its end, and gives empty pages',
    change: readingAll((slice) => ({ ...slice, isEnd: false })),
    failsIn: 'read all > filters by nothing that there is, in both directions and page by page',
    because: /^The case has made 1000 calls and is not done; the last was readAll\(/,
  },
  {
    defect: 'never shows its subscribers what comes later',
    change: (store) => {
      let first: number | undefined;
      return {
        readAll: async (options = {}) => {
          const slice = await store.readAll<never>(options);
          first ??= slice.position;
          const end = first;
          return {
            ...slice,
            events: slice.events.filter(({ position }) => position <= end),
            position: end,
            isEnd: true,
          };
        },
      };
    },
    failsIn:
      'subscribe > gets the events that are there and those that come, and ends when its signal aborts',
    because:
      /^The case has waited 200 ms for what did not come in \d+ calls; the last was readAll\(.*"after":2/,
    timeout,
  },
  {
    defect: 'has nothing in a read of all',
    change: readingAll((slice) => ({ ...slice, events: [] })),
    failsIn:
      'subscribe > gets the events that are there and those that come, and ends when its signal aborts',
    because: /Expected \[1,2\], but got \[\]/,
  },
  {
    defect: 'never finds a commit, nor says so',
    change: () => ({ findCommit: never }),
    failsIn: 'exactly once > finds a commit by its id',
    because: /^findCommit\("\w+-1", "c"\) has not answered/,
    timeout,
  },
  {
    defect: 'never answers a chain',
    change: () => ({ appendCommits: never }),
    failsIn: 'append commits > appends several commits one after the other',
    because: /^appendCommits\(.*\) has not answered/,
    timeout,
  },
  {
    defect: 'never answers with a snapshot',
    change: () => ({
      snapshots: { load: never, save: async () => undefined, delete: async () => undefined },
    }),
    failsIn: 'snapshots > deletes a snapshot',
    because: /^snapshots\.load\("\w+-1", \{"name":"Account","version":1\}\) has not answered/,
    timeout,
  },
  {
    defect: 'never answers when a checkpoint is saved',
    change: () => ({
      checkpoints: { load: async () => undefined, save: never, delete: async () => undefined },
    }),
    failsIn: 'checkpoints > keeps the furthest checkpoint of a name',
    because: /^checkpoints\.save\(/,
    timeout,
  },
  {
    defect: 'never ends counting',
    change: () => ({ statistics: never }),
    failsIn: 'statistics > counts nothing where nothing fits',
    because: /^statistics\(.*\) has not answered/,
    timeout,
  },
];
