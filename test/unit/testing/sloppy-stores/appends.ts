import {
  InvalidEventError,
  isEventStoreError,
  type AppendOptions,
  type AppendResult,
} from 'temporal-event-store';
import { appending, copyOf, roundTrip, type SloppyStore } from './sloppy-store.js';

export const withSloppyAppends: readonly SloppyStore[] = [
  {
    defect: 'forgets a commit after three others of its stream',
    change: (store) => {
      const seen = new Map<string, string[]>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const { commitId } = options;
          if (commitId === undefined) return store.appendToStream(streamId, events, options);
          const ids = seen.get(streamId) ?? [];
          seen.set(streamId, ids);
          const at = ids.indexOf(commitId);
          ids.push(commitId);
          const isForgotten = at >= 0 && new Set(ids.slice(at)).size > 3;
          return store.appendToStream(
            streamId,
            events,
            isForgotten ? { ...options, commitId: `${commitId}'` } : options,
          );
        },
      };
    },
    failsIn: 'exactly once > knows a commit after many later ones, of its stream and of others',
    because: /Expected \{.*"deduplicated":true\}, but got \{.*"version":34.*"deduplicated":false/,
  },
  {
    defect: 'forgets a commit after thirty others, of any stream',
    change: (store) => {
      const seen: string[] = [];
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const key = JSON.stringify([streamId, options.commitId]);
          const at = seen.indexOf(key);
          seen.push(key);
          return store.appendToStream(
            streamId,
            events,
            at >= 0 && seen.length - at > 30 ? { ...options, commitId: crypto.randomUUID() } : options,
          );
        },
      };
    },
    failsIn: 'exactly once > knows a commit after many later ones, of its stream and of others',
    because: /Expected \{.*"deduplicated":true\}, but got \{.*"version":34.*"deduplicated":false/,
  },
  {
    defect: 'finds the last two commits of a stream only',
    change: (store) => {
      const last = new Map<string, string[]>();
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          last.set(streamId, [...(last.get(streamId) ?? []), result.commitId].slice(-2));
          return result;
        },
        findCommit: async (streamId, commitId) =>
          last.get(streamId)?.includes(commitId) ? store.findCommit(streamId, commitId) : undefined,
      };
    },
    failsIn: 'exactly once > knows a commit after many later ones, of its stream and of others',
    because: /Expected \{.*"commitId":"c".*but got undefined/,
  },
  {
    defect: 'looks at the expected version before it looks for the commit',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        if (typeof options.expectedVersion !== 'number') {
          return store.appendToStream(streamId, events, options);
        }
        const { version } = await store.readStream(streamId, { limit: 1 });
        const { commitId: _, ...withoutId } = options;
        return store.appendToStream(
          streamId,
          events,
          options.expectedVersion === version ? options : withoutId,
        );
      },
    }),
    failsIn: 'exactly once > answers a repeat before it looks at the expected version 1',
    because: /was expected to be at version 1, but it is at version 4/,
  },
  {
    defect: 'looks whether there is a stream before it looks for the commit',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        const { commitId: _, ...withoutId } = options;
        return store.appendToStream(
          streamId,
          events,
          options.expectedVersion === 'noStream' && (await store.readStream(streamId)).version > 0
            ? withoutId
            : options,
        );
      },
    }),
    failsIn: 'exactly once > answers a repeat before it looks at the expected version noStream',
    because: /was expected not to exist, but it is at version 4/,
  },
  {
    defect: 'tells a conflict of versions where a commit has other events',
    change: (store) => ({
      appendToStream: async (streamId, events, options) => {
        try {
          return await store.appendToStream(streamId, events, options);
        } catch (error) {
          if (!isEventStoreError(error, 'COMMIT_MISMATCH')) throw error;
          const { commitId: _, ...others } = options ?? {};
          return store.appendToStream(streamId, events, others);
        }
      },
    }),
    failsIn: 'exactly once > refuses other events under a commit id before it looks at the expected version',
    because: /COMMIT_MISMATCH.*but got VersionConflictError/,
  },
  {
    defect: 'looks for a commit before it appends, and not as it does',
    change: (store) => ({
      appendToStream: async (streamId, given, options = {}) => {
        const events = copyOf(given);
        const { commitId, ...others } = options;
        const found = commitId === undefined ? undefined : await store.findCommit(streamId, commitId);
        await roundTrip();
        return found
          ? store.appendToStream(streamId, events, options)
          : store.appendToStream(streamId, events, others);
      },
      findCommit: async () => undefined,
    }),
    failsIn: 'exactly once > stores one of eight concurrent copies of a commit',
    because: /Expected 1, but got 8/,
  },
  {
    defect: 'lets the copies of a commit race on the expected version',
    change: (store) => {
      const underWay = new Set<string>();
      return {
        appendToStream: async (streamId, given, options = {}) => {
          const events = copyOf(given);
          const { commitId, expectedVersion } = options;
          const key = `${streamId}/${String(commitId)}`;
          const isCopy = commitId !== undefined && expectedVersion !== undefined && underWay.has(key);
          underWay.add(key);
          await roundTrip();
          try {
            return await store.appendToStream(streamId, events, isCopy ? { expectedVersion } : options);
          } finally {
            underWay.delete(key);
          }
        },
      };
    },
    failsIn: 'exactly once > stores one of eight concurrent copies of a commit that expects a version',
    because: /Stream '.*' was expected not to exist/,
  },
  {
    defect: 'answers an append with what another one with its commit id stored meanwhile',
    change: (store) => {
      const underWay = new Map<string, Promise<AppendResult>>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const { commitId } = options;
          const key = `${streamId}/${String(commitId)}`;
          const first = commitId === undefined ? undefined : underWay.get(key);
          if (first) return { ...(await first), deduplicated: true };
          const append = roundTripped(store.appendToStream(streamId, events, options));
          underWay.set(key, append);
          return append.finally(() => underWay.delete(key));
        },
      };
    },
    failsIn: 'exactly once > stores one of two concurrent appends that give other events the same commit id',
    because: /Expected 1, but got 0/,
  },
  {
    defect: 'takes equal events for a repeat, whatever their commit id',
    change: (store) => {
      const ids = new Map<string, string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const key = textOf([streamId, events]);
          const commitId = ids.get(key) ?? options.commitId ?? crypto.randomUUID();
          const result = await store.appendToStream(streamId, events, { ...options, commitId });
          ids.set(key, commitId);
          return result;
        },
      };
    },
    failsIn: 'exactly once > stores equal events again under another commit id, or none',
    because: /Expected \{"deduplicated":false\}, but got .*"deduplicated":true/,
  },
  {
    defect: 'counts commit ids over all streams',
    change: (store) => {
      const first = new Map<string, string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const { commitId } = options;
          const owner = commitId === undefined ? streamId : (first.get(commitId) ?? streamId);
          const result = await store.appendToStream(owner === streamId ? streamId : owner, events, options);
          if (commitId !== undefined) first.set(commitId, owner);
          return result;
        },
      };
    },
    failsIn: 'exactly once > counts a commit id per stream',
    because: /The commit 'c' of stream '.*' holds other events/,
  },
  {
    defect: 'remembers the commit id of an append that it refused',
    change: (store) => {
      const refused = new Set<string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const key = `${streamId}/${String(options.commitId)}`;
          try {
            const result = await store.appendToStream(streamId, events, options);
            return refused.has(key) ? { ...result, deduplicated: true } : result;
          } catch (error) {
            refused.add(key);
            throw error;
          }
        },
      };
    },
    failsIn: 'exactly once > leaves a commit id free when its append was refused',
    because: /"deduplicated":false\}, but got .*"deduplicated":true/,
  },
  {
    defect: 'checks the expected version, and enforces it not',
    change: (store) => ({
      appendToStream: async (streamId, given, options: AppendOptions = {}) => {
        const events = copyOf(given);
        const { expectedVersion, ...others } = options;
        const { version } = await store.readStream(streamId, { limit: 1 });
        await roundTrip();
        return store.appendToStream(streamId, events, expectedVersion === version ? others : options);
      },
    }),
    failsIn: 'expected version > lets one of eight racers through that expect 3',
    because: /Expected 1, but got 8/,
  },
  {
    defect: 'takes the expected version 0 for none',
    change: appending((events, { expectedVersion, ...others }) => [
      events,
      { ...others, ...(expectedVersion && { expectedVersion }) },
    ]),
    failsIn: 'expected version > refuses 0 on a stream of 2 events',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'expects at least the version, and not the version',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        const { version } = await store.readStream(streamId, { limit: 1 });
        const { expectedVersion } = options;
        const isEnough =
          typeof expectedVersion === 'number' && expectedVersion > 0 && version > expectedVersion;
        return store.appendToStream(
          streamId,
          events,
          isEnough ? { ...options, expectedVersion: 'any' } : options,
        );
      },
    }),
    failsIn: 'expected version > refuses 1 on a stream of 2 events',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'stores the events in front of one that is invalid',
    change: (store) => ({
      appendToStream: async (streamId, events, options) => {
        try {
          return await store.appendToStream(streamId, events, options);
        } catch (error) {
          if (!(error instanceof InvalidEventError)) throw error;
          const at = Number(/^events\[(\d+)\]/.exec(error.path)?.[1] ?? 0);
          if (at > 0) await store.appendToStream(streamId, events.slice(0, at), options);
          throw error;
        }
      },
    }),
    failsIn: 'append > stores nothing when one event of several is invalid',
    because: /"version":0.*but got .*"version":1/,
  },
  {
    defect: 'stores a commit of more than 100 events as two',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        if (!Array.isArray(events) || events.length <= 100) {
          return store.appendToStream(streamId, events, options);
        }
        const { commitId: _, ...withoutId } = options;
        await store.appendToStream(streamId, events.slice(0, 100), withoutId);
        return store.appendToStream(streamId, events.slice(100), { ...options, expectedVersion: 'any' });
      },
    }),
    failsIn: 'commits of many events > stores 1,000 events as one commit',
    because: /Expected 1000, but got 900/,
  },
  {
    defect: 'shows events of a large commit before all are stored',
    change: (store) => {
      const versions = new Map<string, number>();
      return {
        appendToStream: async (streamId, events, options) => {
          const result = await store.appendToStream(streamId, events, options);
          if (!Array.isArray(events) || events.length < 1000) return result;
          for (let version = 100; version < 1000; version += 300) {
            versions.set(streamId, version);
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
          versions.delete(streamId);
          return result;
        },
        readStream: async (streamId, options) => {
          const slice = await store.readStream<never>(streamId, options);
          const version = versions.get(streamId) ?? slice.version;
          return { ...slice, version, events: slice.events.slice(0, version) };
        },
      };
    },
    failsIn:
      'commits of many events > shows all or none of 1,000 events to those who read while they are appended',
    because: /Expected \[\], but got \[100/,
  },
  {
    defect: 'stores events of concurrent large commits in turns',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        if (!Array.isArray(events) || events.length !== 200) {
          return store.appendToStream(streamId, events, options);
        }
        let result: AppendResult | undefined;
        for (let at = 0; at < events.length; at += 50) {
          const part = at === 0 ? options : { ...options, commitId: `${String(options.commitId)}/${at}` };
          result = await store.appendToStream(streamId, events.slice(at, at + 50), part);
          await roundTrip();
        }
        return result as AppendResult;
      },
    }),
    failsIn: 'commits of many events > keeps the events of concurrent commits of 200 events together',
    because: /but got \["commit-0","commit-0\/100"/,
  },
  {
    defect: 'answers with the position of the first event of the commit',
    change: answering((result) => ({ ...result, position: result.position - result.eventIds.length + 1 })),
    failsIn: 'append > gives versions from 1 without gaps, and positions that grow',
    because: /Expected 6, but got 5/,
  },
  {
    defect: 'answers with its version for its position',
    change: answering((result) => ({ ...result, position: result.version })),
    failsIn: 'append > gives versions from 1 without gaps, and positions that grow',
    because: /Expected 6, but got 2/,
  },
  {
    defect: 'answers a repeat with where the stream is now',
    change: (store) => ({
      appendToStream: async (...args) => {
        const result = await store.appendToStream(...args);
        if (!result.deduplicated) return result;
        return { ...result, version: (await store.readStream(args[0], { limit: 1 })).version };
      },
    }),
    failsIn: 'exactly once > stores a repeated commit once and returns the first result',
    because: /"version":2.*but got .*"version":5/,
  },
  {
    defect: 'ignores the signal of an append',
    change: appending((events, { signal: _, ...options }) => [events, options]),
    failsIn: 'append > appends nothing when the signal is aborted, and rejects with its reason',
    because: /was expected to fail, but went through/,
  },
];

/** Changes what each append answers. */
function answering(change: (result: AppendResult) => AppendResult): SloppyStore['change'] {
  return (store) => ({ appendToStream: async (...args) => change(await store.appendToStream(...args)) });
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return crypto.randomUUID();
  }
}

async function roundTripped<T>(answer: Promise<T>): Promise<T> {
  await roundTrip();
  return answer;
}
