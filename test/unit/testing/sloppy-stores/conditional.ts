import {
  AppendConditionFailedError,
  type AppendCondition,
  type EventFilter,
  type SettledPosition,
} from 'temporal-event-store';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import { copyOf, roundTrip } from './sloppy-store.js';

/** What replaces the calls that take a condition. */
type Appends = Pick<MemoryEventStore, 'appendToStream' | 'appendToStreams'>;

type AppendChange = (store: MemoryEventStore) => Appends;

/** The options that both calls have in common. */
export interface ConditionalOptions {
  readonly commitId?: string;
  readonly condition?: AppendCondition;
}

/** Changes the condition of each append; `undefined` takes it away. */
export const onCondition = (change: (condition: AppendCondition) => unknown): AppendChange =>
  onOptions((options) => {
    const { condition, ...others } = options;
    if (condition === undefined) return options;
    const changed = change(condition);
    return { ...others, ...(changed !== undefined && { condition: changed }) };
  });

/** Changes the options of each append to a stream or to several. */
export const onOptions =
  (change: (options: ConditionalOptions) => object): AppendChange =>
  (store) => ({
    appendToStream: async (streamId, events, options = {}) =>
      store.appendToStream(streamId, events, change(options as ConditionalOptions)),
    appendToStreams: async (appends, options = {}) =>
      store.appendToStreams(appends, change(options as ConditionalOptions)),
  });

/** Changes each filter of a condition; what is no filter is left to the store. */
export const onConditionFilter = (change: (filter: EventFilter) => unknown): AppendChange =>
  onCondition(({ filter, after }) => ({
    filter: filtersIn(filter)?.flatMap((each) => change(each) as EventFilter[]) ?? filter,
    after,
  }));

/** Changes the filters of a condition that has several. */
export const onConditionFilters = (change: (filters: readonly EventFilter[]) => unknown): AppendChange =>
  onCondition(({ filter, after }) => ({
    filter: Array.isArray(filter) && filter.length > 1 ? change(filter as EventFilter[]) : filter,
    after,
  }));

/** Changes what a condition builds on. */
export const onAfter = (change: (after: AppendCondition['after']) => unknown): AppendChange =>
  onCondition(({ after, ...condition }) => ({ ...condition, after: change(after) }));

function filtersIn(filter: AppendCondition['filter']): readonly EventFilter[] | undefined {
  const filters = Array.isArray(filter) ? (filter as readonly EventFilter[]) : [filter as EventFilter];
  const areFilters = filters.every((each) => typeof each === 'object' && (each as unknown) !== null);
  return areFilters && filters.length > 0 ? filters : undefined;
}

/** The settled position that a condition builds on, if there is one. */
export function settledIn(condition: AppendCondition | undefined): SettledPosition | undefined {
  const after = condition?.after as (SettledPosition & { readonly settled?: SettledPosition }) | undefined;
  const settled = after?.settled ?? after;
  return settled !== undefined && 'position' in settled && !('events' in settled) ? settled : undefined;
}

/** Whether the condition fails now. */
export async function isInTheWay(
  store: MemoryEventStore,
  condition: AppendCondition | undefined,
): Promise<boolean> {
  const settled = settledIn(condition);
  if (condition === undefined || settled === undefined) return false;
  try {
    const { filter } = condition;
    const { events } = await store.readAll({ filter, after: settled.position, limit: 1 });
    return events.length > 0;
  } catch {
    return false;
  }
}

/** Changes the options of each append after a look at the store, as one who has to ask a database for it. */
export const lookingFirst =
  (
    change: (
      store: MemoryEventStore,
      options: ConditionalOptions,
      streamIds: readonly string[],
    ) => Promise<object>,
  ): AppendChange =>
  (store) => ({
    appendToStream: async (streamId, given, options = {}) => {
      if (options.condition === undefined) return store.appendToStream(streamId, given, options);
      const [events, own] = copyOf([given, options]);
      const changed = await change(store, own, [streamId]);
      return store.appendToStream(streamId, events, changed);
    },
    appendToStreams: async (given, options = {}) => {
      if (options.condition === undefined) return store.appendToStreams(given, options);
      const [appends, own] = copyOf([given, options]);
      const streamIds = appends.map(({ streamId }) => streamId);
      const changed = await change(store, own, streamIds);
      return store.appendToStreams(appends, changed);
    },
  });

/** Checks such conditions before it appends, and not as it does. */
export const checkingFirst = (
  isChecked: (condition: AppendCondition) => boolean,
  pause: () => Promise<void> = roundTrip,
): AppendChange =>
  lookingFirst(async (store, options) => {
    const { condition, ...others } = options;
    if (condition === undefined || settledIn(condition) === undefined || !isChecked(condition)) {
      return options;
    }
    const isRefused = await isInTheWay(store, condition);
    await pause();
    return isRefused ? options : others;
  });

/** Appends, and does something else when a condition fails. */
export const whenRefused =
  (
    instead: (
      error: AppendConditionFailedError,
      store: MemoryEventStore,
      /** The same append under other options. */
      append: (change: (options: ConditionalOptions) => object) => Promise<never>,
      streamIds: readonly string[],
    ) => Promise<never>,
  ): AppendChange =>
  (store) => ({
    appendToStream: (streamId, events, options = {}) =>
      store.appendToStream(streamId, events, options).catch((error: unknown) => {
        if (!(error instanceof AppendConditionFailedError)) throw error;
        const append = (change: (options: ConditionalOptions) => object): Promise<never> =>
          store.appendToStream(streamId, events, change(options as ConditionalOptions)) as Promise<never>;
        return instead(error, store, append, [streamId]);
      }),
    appendToStreams: (appends, options = {}) =>
      store.appendToStreams(appends, options).catch((error: unknown) => {
        if (!(error instanceof AppendConditionFailedError)) throw error;
        const append = (change: (options: ConditionalOptions) => object): Promise<never> =>
          store.appendToStreams(appends, change(options as ConditionalOptions)) as Promise<never>;
        const streamIds = appends.map(({ streamId }) => streamId);
        return instead(error, store, append, streamIds);
      }),
  });

export const withoutCondition = ({ condition: _, ...options }: ConditionalOptions): ConditionalOptions =>
  options;
export const withoutCommitId = ({ commitId: _, ...options }: ConditionalOptions): ConditionalOptions =>
  options;

export const filtersOf = ({ filter }: AppendCondition): readonly EventFilter[] =>
  Array.isArray(filter) ? (filter as readonly EventFilter[]) : [filter as EventFilter];

export const firstTagOf = (condition: AppendCondition): string | undefined =>
  filtersOf(condition)[0]?.tags?.[0];

export const without =
  (...keys: readonly (keyof EventFilter)[]) =>
  (filter: EventFilter): object =>
    Object.fromEntries(Object.entries(filter).filter(([key]) => !keys.includes(key as never)));
