import type { AllSlice, AppendCondition, EventFilter, EventStore, EventToAppend } from 'temporal-event-store';

/** An event with these tags. */
export function tagged(...tags: readonly string[]): EventToAppend {
  return { type: 'Taken', data: {}, tags };
}

/** Reads to the end. */
export async function lastSliceOf(store: EventStore, filter?: EventFilter): Promise<AllSlice> {
  for (let after = 0; ;) {
    const slice = await store.readAll({ after, ...(filter && { filter }) });
    if (slice.isEnd) return slice;
    after = slice.position;
  }
}

/** The condition that no event with the tag is appended after now. */
export async function noneWith(store: EventStore, tag: string): Promise<AppendCondition> {
  const filter = { tags: [tag] };
  return { filter, after: await lastSliceOf(store, filter) };
}
