import { AppendConditionFailedError, isEventStoreError, type AppendCondition } from 'temporal-event-store';
import {
  checkingFirst,
  filtersOf,
  firstTagOf,
  lookingFirst,
  onCondition,
  settledIn,
  withoutCondition,
} from './conditional.js';
import { roundTrip, tick, type Change, type SloppyStore } from './sloppy-store.js';

const amongRacers = (behaviour: string): string => `append conditions among racers > let ${behaviour}`;

/** Lets one after the other at work that has the same key. */
function turnsOf(): (key: string, work: () => Promise<unknown>) => Promise<never> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    return turn as Promise<never>;
  };
}

/** Checks a condition and appends in turns with appends whose conditions have the same key, and with no others. */
const takingTurns =
  (keyOf: (condition: AppendCondition) => string, pause = roundTrip): Change =>
  (store) => {
    const inTurn = turnsOf();
    const checked = checkingFirst(() => true, pause)(store);
    return {
      appendToStream: async (streamId, events, options) => {
        const append = (): Promise<unknown> => checked.appendToStream(streamId, events, options);
        const condition = options?.condition;
        return condition === undefined || settledIn(condition) === undefined
          ? store.appendToStream(streamId, events, options)
          : inTurn(keyOf(condition), append);
      },
      appendToStreams: async (appends, options) => {
        const append = (): Promise<unknown> => checked.appendToStreams(appends, options);
        const condition = options?.condition;
        return condition === undefined || settledIn(condition) === undefined
          ? store.appendToStreams(appends, options)
          : inTurn(keyOf(condition), append);
      },
    };
  };

export const withSloppyTurns: readonly SloppyStore[] = [
  {
    defect: 'checks a condition before it appends, and not as it does',
    change: checkingFirst(() => true),
    failsIn: amongRacers('one of eight through that depend on a tag'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes turns on the first of two tags only with those that name it first',
    change: takingTurns((condition) =>
      firstTagOf(condition)?.endsWith('/b') ? crypto.randomUUID() : (firstTagOf(condition) ?? ''),
    ),
    failsIn: amongRacers('one of eight through that depend on two tags'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes turns where a condition has a tag, and not on types',
    change: checkingFirst(
      (condition) => filtersOf(condition)[0]?.types !== undefined && !firstTagOf(condition),
    ),
    failsIn: amongRacers('one of eight through that depend on a type'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes turns where a condition has a tag, and not on categories',
    change: checkingFirst((condition) => filtersOf(condition)[0]?.categories !== undefined),
    failsIn: amongRacers('one of eight through that depend on a category'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes turns where a condition has a tag, and not on correlation ids',
    change: checkingFirst((condition) => filtersOf(condition)[0]?.correlationId !== undefined),
    failsIn: amongRacers('one of eight through that depend on a correlation id'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes turns by the first of several filters',
    change: checkingFirst((condition) => filtersOf(condition).length > 1),
    failsIn: amongRacers('one of eight through that depend on any of two filters'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'takes no turns where a condition is on every event',
    change: checkingFirst((condition) => Object.keys(filtersOf(condition)[0] ?? {}).length === 0),
    failsIn: amongRacers('one of eight through that depend on every event, unless another append came first'),
    because: /Expected \[1,7\], but got \[8,0\]/,
  },
  {
    defect: 'lets nobody through who depends on every event',
    change: onCondition((condition) =>
      Object.keys(condition.filter ?? { none: 1 }).length === 0
        ? { ...condition, after: { ...settledIn(condition), storeId: 'none' } }
        : condition,
    ),
    failsIn: amongRacers('one of eight through that depend on every event, unless another append came first'),
    because: /Expected true, but got false/,
  },
  {
    defect: 'refuses whoever has to wait for a condition',
    change: (store) => {
      let isBusy = false;
      return lookingFirst(async (_store, options) => {
        if (isBusy) {
          const conflict = { streamId: 'none', type: 'None', id: 'none' };
          throw new AppendConditionFailedError('Somebody else is at it', { after: 0, conflict });
        }
        isBusy = true;
        await roundTrip();
        isBusy = false;
        return options;
      })(store);
    },
    failsIn: amongRacers('all of eight through that depend on tags of their own'),
    because: /Somebody else is at it/,
  },
  {
    defect: 'takes turns among those that depend on the same tag',
    change: takingTurns((condition) => firstTagOf(condition) ?? ''),
    failsIn: amongRacers('one of two sides through that exclude each other'),
    because: /Expected \[4,4\], but got \[2,6\]/,
  },
  {
    defect: 'takes turns on 128 tags at most',
    change: (store) => {
      const checked = checkingFirst(() => true)(store);
      return {
        appendToStream: async (streamId, events, options) =>
          ((events[0]?.tags?.length ?? 0) > 128 ? checked : store).appendToStream(streamId, events, options),
      };
    },
    failsIn: amongRacers('one of four through whose events have 200 tags'),
    because: /Expected \[1,3\], but got \[4,0\]/,
  },
  {
    defect: 'refuses appends to a stream while one under a condition is under way',
    change: (store) => {
      const busy = new Set<string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          if (busy.has(streamId)) throw new Error('The stream is busy');
          if (options.condition) busy.add(streamId);
          await roundTrip();
          busy.delete(streamId);
          return store.appendToStream(streamId, events, options);
        },
      };
    },
    failsIn: amongRacers('appends through beside them that they have nothing to do with'),
    because: /The stream is busy/,
  },
  {
    defect: 'leaves the home stream of those that were refused behind',
    change: (store) => ({
      appendToStreams: async (appends, options) => {
        try {
          return await store.appendToStreams(appends, options);
        } catch (error) {
          if (isEventStoreError(error, 'APPEND_CONDITION_FAILED')) {
            await store.appendToStreams(appends.slice(0, 1));
          }
          throw error;
        }
      },
    }),
    failsIn: 'append conditions among racers > append nothing to any stream for those that are refused',
    because: /Expected \[2,.*but got \[9,/,
  },
  {
    defect: 'looks at the condition of the first try only',
    change: (store) => {
      const tried = new Set<string>();
      return {
        appendToStream: async (streamId, events, options = {}) => {
          const isAgain = tried.has(streamId);
          if (options.condition) tried.add(streamId);
          return store.appendToStream(streamId, events, isAgain ? withoutCondition(options) : options);
        },
      };
    },
    failsIn: 'append conditions among racers > give five seats to five of twelve that read on and try again',
    because: /Expected 5, but got \d+/,
  },
  {
    defect: 'takes turns among appends under conditions, and not with others',
    change: takingTurns(() => '', tick),
    failsIn:
      'append conditions among racers > leave nothing between what an append has read and itself, also beside appends without conditions',
    because: /Expected \[\], but got \[\{/,
  },
];
