import {
  CommitExistsError,
  type AppendResult,
  type Checkpoint,
  type EventFilter,
  type Snapshot,
} from 'temporal-event-store';
import { bound, roundTrip, type Change, type SloppyStore } from './sloppy-store.js';

/** A chain that is an append for each commit, after what is looked at first. */
const chaining =
  (look: (found: readonly string[], version: number) => void = () => undefined): Change =>
  (store) => ({
    appendCommits: async (streamId, commits, options) => {
      const found = [];
      for (const { commitId } of commits) {
        if (await store.findCommit(streamId, commitId)) found.push(commitId);
      }
      if (found.length > 0 || commits.length === 0) return store.appendCommits(streamId, commits, options);
      look(found, (await store.readStream(streamId, { limit: 1 })).version);
      let expectedVersion = options?.expectedVersion;
      const results: AppendResult[] = [];
      for (const { commitId, events, metadata } of commits) {
        await roundTrip();
        const result = await store.appendToStream(streamId, events, {
          commitId,
          ...(metadata && { metadata }),
          ...(expectedVersion !== undefined && { expectedVersion }),
        });
        if (expectedVersion !== undefined) expectedVersion = result.version;
        results.push(result);
      }
      return results;
    },
  });

const checkpoints =
  (change: (store: Parameters<Change>[0]['checkpoints']) => object): Change =>
  (store) => ({ checkpoints: { ...bound(store.checkpoints), ...change(store.checkpoints) } });

const snapshots =
  (change: (store: Parameters<Change>[0]['snapshots']) => object): Change =>
  (store) => ({ snapshots: { ...bound(store.snapshots), ...change(store.snapshots) } });

export const withSloppyCapabilities: readonly SloppyStore[] = [
  {
    defect: 'appends the commits of a chain one after the other',
    change: chaining(),
    failsIn: 'append commits > keeps the commits of concurrent chains together, beside other appends',
    because: /Expected \["0-a","0-a","0-b"/,
  },
  {
    defect: 'shows the commits of a chain as they come',
    change: (store) => ({
      ...chaining()(store),
      readStream: async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, 0));
        return store.readStream(...args);
      },
      appendCommits: async (streamId, commits, options) => {
        const results: AppendResult[] = [];
        for (const commit of commits) {
          results.push(...(await store.appendCommits(streamId, [commit], options)));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return results;
      },
    }),
    failsIn: 'append commits > shows all or none of a chain to those who read while it is appended',
    because: /Expected \[\], but got \[\d+/,
  },
  {
    defect: 'looks for the commits of a chain before it appends, and not as it does',
    change: chaining(),
    failsIn: 'append commits > stores one of eight concurrent copies of a chain',
    because: /Expected 1, but got 8/,
  },
  {
    defect: 'checks the expected version of a chain, and enforces it not',
    change: (store) => ({
      appendCommits: async (streamId, commits, options = {}) => {
        const { version } = await store.readStream(streamId, { limit: 1 });
        await roundTrip();
        const { expectedVersion, ...others } = options;
        return store.appendCommits(streamId, commits, expectedVersion === version ? others : options);
      },
    }),
    failsIn: 'append commits > lets one of eight concurrent chains through that expect the same version',
    because: /Expected 1, but got 8/,
  },
  {
    defect: 'looks at the expected version of a chain before it looks for its commits',
    change: (store) => ({
      appendCommits: async (streamId, commits, options) => {
        const { version } = await store.readStream(streamId, { limit: 1 });
        return options?.expectedVersion === 'noStream' && version > 0
          ? store.appendCommits(streamId, [{ ...commits[0]!, commitId: crypto.randomUUID() }], options)
          : store.appendCommits(streamId, commits, options);
      },
    }),
    failsIn:
      'append commits > names all commits that are stored already, before it looks at the expected version',
    because: /COMMIT_EXISTS.*but got VersionConflictError/,
  },
  {
    defect: 'names the first commit of a chain that is stored, and not all',
    change: (store) => ({
      appendCommits: async (streamId, commits, options) => {
        try {
          return await store.appendCommits(streamId, commits, options);
        } catch (error) {
          if (!(error instanceof CommitExistsError)) throw error;
          const first = commits.findIndex(({ commitId }) => commitId === error.commitIds[0]);
          return store.appendCommits(streamId, commits.slice(0, first + 1), options);
        }
      },
    }),
    failsIn:
      'append commits > names all commits that are stored already, before it looks at the expected version',
    because: /"commitIds":\["a","c"\]/,
  },
  {
    defect: 'does not know the commits of its chains',
    change: (store) => {
      const chained = new Set<string>();
      return {
        appendCommits: async (streamId, commits, options) => {
          const results = await store.appendCommits(streamId, commits, options);
          for (const { commitId } of commits) chained.add(`${streamId}/${commitId}`);
          return results;
        },
        appendToStream: async (streamId, events, options = {}) =>
          store.appendToStream(
            streamId,
            events,
            chained.has(`${streamId}/${String(options.commitId)}`)
              ? { ...options, commitId: crypto.randomUUID() }
              : options,
          ),
      };
    },
    failsIn: 'append commits > takes a commit of a chain that is appended by itself for a repeat',
    because: /"deduplicated":true\}, but got .*"deduplicated":false/,
  },
  {
    defect: 'ignores the signal of a chain',
    change: (store) => ({
      appendCommits: (streamId, commits, { signal: _, ...options } = {}) =>
        store.appendCommits(streamId, commits, options),
    }),
    failsIn: 'append commits > appends nothing when the signal is aborted, and rejects with its reason',
    because: /was expected to fail, but went through/,
  },
  {
    defect: 'goes back with a snapshot',
    change: snapshots((store) => ({
      save: async (...[streamId, model, ...rest]: Parameters<typeof store.save>) => {
        await store.delete(streamId, model);
        await store.save(streamId, model, ...rest);
      },
    })),
    failsIn: 'snapshots > keeps the newest snapshot of a stream and model',
    because: /"version":5.*but got \{"version":3/,
  },
  {
    defect: 'looks at the stored snapshot before it saves one, and not as it does',
    change: () => {
      const kept = new Map<string, Snapshot>();
      return {
        snapshots: {
          load: async (streamId) => kept.get(streamId),
          delete: async (streamId) => void kept.delete(streamId),
          save: async (streamId, _model, version, state) => {
            const found = kept.get(streamId);
            await roundTrip();
            if (found === undefined || found.version <= version) kept.set(streamId, { version, state });
          },
        },
      };
    },
    failsIn: 'snapshots > keeps the newest of eight snapshots that are saved at the same time',
    because: /"version":8.*but got \{"version":4/,
  },
  {
    defect: 'gives the snapshot of another version of the model',
    change: snapshots((store) => ({
      load: (...[streamId, model]: Parameters<typeof store.load>) =>
        store.load(streamId, { ...model, version: 1 }),
    })),
    failsIn: 'snapshots > does not return the snapshot of another model version, and replaces it',
    because: /Expected undefined, but got \{"version":5/,
  },
  {
    defect: 'shares the state of a snapshot with its caller',
    change: (store) => {
      const states = new Map<string, unknown>();
      return snapshots((own) => ({
        save: async (...args: Parameters<typeof own.save>) => {
          await own.save(...args);
          states.set(args[0], args[3]);
        },
        load: async (...args: Parameters<typeof own.load>) => {
          const found = await own.load(...args);
          return found && { ...found, state: states.get(args[0]) };
        },
      }))(store);
    },
    failsIn: 'snapshots > does not change when the caller later changes the state it saved or loaded',
    because: /"lines":\[1\].*but got .*"lines":\[1,2/,
  },
  {
    defect: 'rounds the numbers of a snapshot',
    change: snapshots((store) => ({
      load: async (...args: Parameters<typeof store.load>) => {
        const found = await store.load(...args);
        return (
          found &&
          (JSON.parse(JSON.stringify(found), (_key, part: unknown) =>
            typeof part === 'number' ? Number(part.toPrecision(15)) : part,
          ) as Snapshot)
        );
      },
    })),
    failsIn: 'snapshots > keeps a state of every kind of JSON',
    because: /9007199254740991.*but got .*9007199254740990/,
  },
  {
    defect: 'deletes the snapshots of all models of a stream',
    change: snapshots((store) => ({
      delete: async (...[streamId, model]: Parameters<typeof store.delete>) => {
        for (const name of [model.name, 'Other']) await store.delete(streamId, { ...model, name });
      },
    })),
    failsIn: 'snapshots > keeps the snapshots of two models of a stream beside each other',
    because: /Expected \{"version":3.*but got undefined/,
  },
  {
    defect: 'goes back with a checkpoint',
    change: checkpoints((store) => ({
      save: async (...[name, checkpoint]: Parameters<typeof store.save>) => {
        await store.delete(name);
        await store.save(name, checkpoint);
      },
    })),
    failsIn: 'checkpoints > keeps the furthest checkpoint of a name',
    because: /"position":5.*but got \{"position":3/,
  },
  {
    defect: 'looks at the stored checkpoint before it saves one, and not as it does',
    change: () => {
      const kept = new Map<string, Checkpoint>();
      return {
        checkpoints: {
          load: async (name) => kept.get(name),
          delete: async (name) => void kept.delete(name),
          save: async (name, { position, storeId }) => {
            const found = kept.get(name);
            await roundTrip();
            if (found?.storeId !== storeId || found.position <= position) {
              kept.set(name, { position, storeId });
            }
          },
        },
      };
    },
    failsIn: 'checkpoints > keeps the furthest of eight checkpoints that are saved at the same time',
    because: /"position":8.*but got \{"position":4/,
  },
  {
    defect: 'has a column of 32 bits for positions',
    change: checkpoints((store) => ({
      save: (...[name, { position, storeId }]: Parameters<typeof store.save>) =>
        store.save(name, { position: position > 2 ** 31 ? 2 ** 31 - 1 : position, storeId }),
    })),
    failsIn: 'checkpoints > keeps the first position and the largest',
    because: /9007199254740991.*but got .*2147483647/,
  },
  {
    defect: 'takes the position 0 for no checkpoint',
    change: checkpoints((store) => ({
      load: async (...args: Parameters<typeof store.load>) => {
        const found = await store.load(...args);
        return found?.position ? found : undefined;
      },
    })),
    failsIn: 'checkpoints > keeps the first position and the largest',
    because: /"position":0.*but got undefined/,
  },
  {
    defect: 'shares a checkpoint with its caller',
    change: () => {
      const kept = new Map<string, Checkpoint>();
      return {
        checkpoints: {
          load: async (name) => kept.get(name),
          save: async (name, checkpoint) => void kept.set(name, checkpoint),
          delete: async (name) => void kept.delete(name),
        },
      };
    },
    failsIn: 'checkpoints > does not change when the caller later changes the checkpoint it saved or loaded',
    because: /"position":4.*but got \{"position":6/,
  },
  {
    defect: 'counts appends, also those that were repeated',
    change: (store) => {
      let repeats = 0;
      return {
        appendToStream: async (...args) => {
          const result = await store.appendToStream(...args);
          if (result.deduplicated) repeats += result.eventIds.length;
          return result;
        },
        statistics: async (options) => {
          const statistics = await store.statistics(options);
          return { ...statistics, total: statistics.total + repeats };
        },
      };
    },
    failsIn: 'statistics > counts a repeated commit once, and a refused one not at all',
    because: /"total":1.*but got \{"total":3/,
  },
  {
    defect: 'counts an event again for each filter that takes it',
    change: (store) => ({
      statistics: async (options = {}) => {
        const statistics = await store.statistics(options);
        if (!Array.isArray(options.filter)) return statistics;
        let total = 0;
        for (const filter of options.filter as readonly EventFilter[]) {
          total += (await store.statistics({ filter })).total;
        }
        return { ...statistics, total };
      },
    }),
    failsIn: 'statistics > counts an event once that two filters take',
    because: /"total":2.*but got \{"total":3/,
  },
  {
    defect: 'counts trends again for each filter',
    change: (store) => ({
      trends: async (options) =>
        (await store.trends(options)).map((bucket) => ({
          ...bucket,
          count: bucket.count * (Array.isArray(options?.filter) ? options.filter.length : 1),
        })),
    }),
    failsIn: 'statistics > counts an event once that two filters take',
    because: /"count":2\}\], but got .*"count":4/,
  },
  {
    defect: 'ignores the signal of statistics',
    change: (store) => ({
      statistics: ({ signal: _, ...options } = {}) => store.statistics(options),
    }),
    failsIn: 'statistics > rejects with the reason of an aborted signal',
    because: /was expected to fail, but went through/,
  },
];
