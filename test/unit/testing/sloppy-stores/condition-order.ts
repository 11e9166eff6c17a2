import { CommitMismatchError, type AppendCondition } from 'temporal-event-store';
import {
  filtersOf,
  isInTheWay,
  lookingFirst,
  onCondition,
  onConditionFilter,
  onConditionFilters,
  onOptions,
  settledIn,
  without,
  withoutCommitId,
  withoutCondition,
} from './conditional.js';
import { roundTrip, wentThrough, type SloppyStore } from './sloppy-store.js';

const wasRefused = /The append depends on events up to position \d+, but/;

const beside = (behaviour: string): string =>
  `append conditions beside what else an append asks for > ${behaviour}`;

const malformed = (what: string): string => `append conditions that are malformed > are refused with ${what}`;

export const withSloppyOrderOfJudgement: readonly SloppyStore[] = [
  {
    defect: 'looks at what is in the way before it looks for the commit',
    change: lookingFirst(async (store, options) =>
      (await isInTheWay(store, options.condition)) ? withoutCommitId(options) : options,
    ),
    failsIn: beside('answer a repeat of appendToStream, whose own events are in its way'),
    because: /was expected not to exist/,
  },
  {
    defect: 'looks whose position it is before it looks for the commit',
    change: lookingFirst(async (store, options) =>
      settledIn(options.condition)?.storeId === (await store.readAll({ limit: 1 })).storeId
        ? options
        : withoutCommitId(options),
    ),
    failsIn: beside('answer a repeat of appendToStream, whose position is of another store'),
    because: /is of store another/,
  },
  {
    defect: 'looks for the commit of a conditional append before it appends, and not as it does',
    change: lookingFirst(async (store, options, [streamId = '']) => {
      const { commitId } = options;
      const found = commitId === undefined ? undefined : await store.findCommit(streamId, commitId);
      await roundTrip();
      return found ? options : withoutCommitId(options);
    }),
    failsIn: beside('store one of eight concurrent copies of appendToStreams'),
    because: wasRefused,
  },
  {
    defect: 'tells of the condition where a commit has other events',
    change: (store) => ({
      appendToStream: async (streamId, events, options = {}) => {
        try {
          return await store.appendToStream(streamId, events, options);
        } catch (error) {
          if (!(error instanceof CommitMismatchError)) throw error;
          return store.appendToStream(streamId, events, withoutCommitId(options));
        }
      },
    }),
    failsIn: beside(
      'refuse other events under the commit id of appendToStream before they look at what is in the way',
    ),
    because: /COMMIT_MISMATCH.*but got AppendConditionFailedError/,
  },
  {
    defect: 'looks at what is in the way before it looks at the expected version',
    change: lookingFirst(async (store, options) => {
      const { expectedVersion: _, ...others } = options as { readonly expectedVersion?: number };
      return (await isInTheWay(store, options.condition)) ? others : options;
    }),
    failsIn: beside('look at the expected version of appendToStream before they look at what is in the way'),
    because: /VERSION_CONFLICT.*but got AppendConditionFailedError/,
  },
  {
    defect: 'forgets the condition where there is an expected version',
    change: onOptions((options) =>
      typeof (options as { readonly expectedVersion?: unknown }).expectedVersion === 'number'
        ? withoutCondition(options)
        : options,
    ),
    failsIn: beside('are enforced beside the expected version of appendToStream, and it beside them'),
    because: wentThrough,
  },
  {
    defect: 'forgets the expected versions of streams where there is a condition',
    change: (store) => ({
      appendToStreams: async (appends, options) =>
        store.appendToStreams(
          options?.condition && settledIn(options.condition)
            ? appends.map(({ expectedVersion: _, ...part }) => part)
            : appends,
          options,
        ),
    }),
    failsIn: beside('are enforced beside the expected version of appendToStreams, and it beside them'),
    because: wentThrough,
  },
  {
    defect: 'takes null for no condition',
    change: onCondition((condition) => condition ?? undefined),
    failsIn: malformed('null'),
    because: wentThrough,
  },
  {
    defect: 'takes a condition without a filter for one on every event',
    change: onCondition((condition) => Object.assign({ filter: {} }, condition)),
    failsIn: malformed('no filter'),
    because: wentThrough,
  },
  {
    defect: 'takes a condition without a position for one on what was there',
    change: (store) =>
      lookingFirst(async (_store, options) => {
        if (options.condition?.after !== undefined || !(options.condition instanceof Object)) return options;
        return { ...options, condition: { ...options.condition, after: await store.readAll() } };
      })(store),
    failsIn: malformed('no position'),
    because: wentThrough,
  },
  {
    defect: 'passes over what it does not know of a condition',
    change: onCondition((condition) =>
      (condition as unknown) instanceof Object && 'before' in condition
        ? { filter: condition.filter, after: condition.after }
        : condition,
    ),
    failsIn: malformed('an unknown key'),
    because: wentThrough,
  },
  {
    defect: 'takes an empty list of filters for no condition',
    change: onCondition((condition) =>
      Array.isArray((condition as AppendCondition | null)?.filter) && filtersOf(condition).length === 0
        ? undefined
        : condition,
    ),
    failsIn: malformed('an empty list of filters'),
    because: wentThrough,
  },
  {
    defect: 'takes any number of filters',
    change: onConditionFilters((filters) => filters.slice(0, 100)),
    failsIn: malformed('101 filters'),
    because: wentThrough,
  },
  {
    defect: 'looks past the times of a condition',
    change: onConditionFilter(without('occurredFrom', 'occurredTo')),
    failsIn: malformed('a filter by occurredFrom'),
    because: wentThrough,
  },
  {
    defect: 'looks past the times of the second filter of a condition',
    change: onConditionFilters((filters) =>
      filters.map((filter) => (filter === null ? filter : without('occurredTo')(filter))),
    ),
    failsIn: malformed('a filter by occurredTo'),
    because: wentThrough,
  },
];
