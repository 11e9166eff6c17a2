import {
  CommitMismatchError,
  isEventStoreError,
  VersionConflictError,
  type AppendResult,
  type MultiAppendResult,
  type StreamAppend,
} from 'temporal-event-store';
import {
  answeringParts,
  areParts,
  asking,
  askingParts,
  oneByOne,
  refused,
  takingForRepeat,
  withoutId,
  type Args,
} from './several-streams.js';
import { roundTrip, wentThrough, type SloppyStore } from './sloppy-store.js';

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

export const withSloppyMultiCommits: readonly SloppyStore[] = [
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
    because: wentThrough,
  },
  {
    defect: 'looks for a repeat in the stream that comes first',
    change: takingForRepeat((given, listed) => given.length < listed.length && given[0] !== listed[0]),
    failsIn: 'append to streams exactly once > refuses a repeat without its home stream',
    because: wentThrough,
  },
  {
    defect: 'takes an append to the home stream alone for a repeat',
    change: takingForRepeat((given) => given.length === 1),
    failsIn: 'append to streams exactly once > refuses a repeat with the home stream alone',
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
  },
  {
    defect: 'takes streams in another order for the same',
    change: takingForRepeat(
      (given, listed) => given.length === listed.length && given[0] === listed[0] && given[1] !== listed[1],
    ),
    failsIn: 'append to streams exactly once > refuses a repeat with its streams in another order',
    because: wentThrough,
  },
  {
    defect: 'takes another home stream for the same',
    change: takingForRepeat((given, listed) => given.length === listed.length && given[0] !== listed[0]),
    failsIn: 'append to streams exactly once > refuses a repeat with another home stream',
    because: wentThrough,
  },
  {
    defect: 'compares the events of the home stream only',
    change: takingForRepeat((given, listed) => given.join() === listed.join()),
    failsIn: 'append to streams exactly once > refuses a repeat with other events for its last stream',
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
    because: wentThrough,
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
];
