import {
  isEventStoreError,
  type AppendResult,
  type MultiAppendResult,
  type StreamAppend,
} from 'temporal-event-store';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import { roundTrip, type Change } from './sloppy-store.js';

export type Args = Parameters<MemoryEventStore['appendToStreams']>;
export type Options = NonNullable<Args[1]>;

/** Changes what an append to streams is asked for. */
export const asking =
  (change: (appends: Args[0], options: Options) => readonly [unknown, object]): Change =>
  (store) => ({
    appendToStreams: async (appends, options = {}) =>
      store.appendToStreams(...(change(appends, options) as [Args[0], Options])),
  });

/** Changes the appends that have a stream and events; others are left to the store. */
export const askingParts = (change: (parts: readonly StreamAppend[]) => readonly StreamAppend[]): Change =>
  asking((appends, options) => [areParts(appends) ? change(appends) : appends, options]);

export function areParts(appends: unknown): appends is readonly StreamAppend[] {
  return (
    Array.isArray(appends) &&
    appends.every((each) => Array.isArray((each as Partial<StreamAppend> | null | undefined)?.events))
  );
}

/** Changes what an append to streams answers. */
export const answering =
  (change: (result: MultiAppendResult) => MultiAppendResult): Change =>
  (store) => ({ appendToStreams: async (...args) => change(await store.appendToStreams(...args)) });

export const answeringParts = (change: (part: AppendResult, home: AppendResult) => AppendResult): Change =>
  answering((result) => ({
    ...result,
    parts: result.parts.map((part) => change(part, result.parts[0] as AppendResult)),
  }));

/** Does something else when the store refuses an append to streams so. */
export const refused =
  (
    code: NonNullable<Parameters<typeof isEventStoreError>[1]>,
    instead: (
      store: MemoryEventStore,
      appends: Args[0],
      options: Options,
      error: unknown,
    ) => Promise<MultiAppendResult>,
  ): Change =>
  (store) => ({
    appendToStreams: async (appends, options = {}) => {
      try {
        return await store.appendToStreams(appends, options);
      } catch (error) {
        if (!isEventStoreError(error, code)) throw error;
        return instead(store, appends, options, error);
      }
    },
  });

/** Answers with the commit that each of the streams has, if each has it and `isAlike` says so. */
export const takingForRepeat = (
  isAlike: (given: readonly string[], listed: readonly string[]) => boolean,
): Change =>
  refused('COMMIT_MISMATCH', async (store, appends, { commitId = '' }, error) => {
    const parts: AppendResult[] = [];
    let listed: readonly string[] = [];
    for (const { streamId } of appends) {
      const found = await store.findCommit(streamId, commitId);
      if (found === undefined) throw error;
      parts.push(found);
      const { events } = await store.readStream(streamId, { fromVersion: found.version });
      listed = events[0]?.metadata['commitStreams'] as readonly string[];
    }
    const given = appends.map(({ streamId }) => streamId);
    if (!isAlike(given, listed)) throw error;
    return { commitId, deduplicated: true, parts };
  });

/** Appends the parts one after the other. */
export async function oneByOne(
  store: MemoryEventStore,
  appends: Args[0],
  { condition: _, ...options }: Options = {},
  pause: () => Promise<void> = roundTrip,
): Promise<MultiAppendResult> {
  const parts: AppendResult[] = [];
  for (const part of appends) {
    const result = await store.appendToStreams([part], options);
    parts.push(...result.parts);
    await pause();
  }
  const [{ commitId }] = parts as [AppendResult];
  return { commitId, deduplicated: false, parts };
}

export const withoutId = ({ commitId: _, ...options }: Options): Options => options;
