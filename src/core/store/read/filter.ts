import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { assertOptions, isName, type OptionCheck } from '../../options/options.js';
import { parseTimestamp } from '../../values/timestamp.js';
import type { EventFilter } from '../event-store.js';
import { parseStreamId } from '../stream-id.js';

/** A filter whose times are ISO strings in UTC, so that they compare as text. Plain JSON. */
export interface NormalFilter extends EventFilter {
  readonly occurredFrom?: string;
  readonly occurredTo?: string;
}

const isNames: OptionCheck = (value) =>
  !Array.isArray(value) || value.length === 0
    ? 'a list of at least one (an empty one takes nothing; leave it out to take all)'
    : // From: map would step over a hole.
      Array.from(value, isName).find((problem) => problem !== undefined);

const isTime: OptionCheck = (value) => {
  const parsed = parseTimestamp(value);
  return 'problem' in parsed ? `a time with offset (it ${parsed.problem})` : undefined;
};

/** @throws {@link InvalidArgumentError} */
export function normalizeFilters(
  filter: EventFilter | readonly EventFilter[] | undefined,
): readonly NormalFilter[] | undefined {
  if (filter === undefined) return undefined;
  const filters = Array.isArray(filter) ? (filter as readonly EventFilter[]) : [filter as EventFilter];
  if (filters.length === 0) {
    throw new InvalidArgumentError(
      'An empty list of filters takes nothing; leave the filter out to take all events.',
    );
  }
  return Array.from(filters, normalizeFilter);
}

/** What a filter looks at. */
export interface Filterable {
  readonly type: string;
  readonly streamId: string;
  readonly tags: readonly string[];
  readonly correlationId: string | undefined;
  readonly occurredAt: string;
}

/** Whether any of the filters takes the event. */
export function matchesFilters(filters: readonly NormalFilter[] | undefined, event: Filterable): boolean {
  return filters === undefined || filters.some((filter) => matches(filter, event));
}

function normalizeFilter(filter: EventFilter): NormalFilter {
  if (filter === null || filter === undefined) throw new InvalidArgumentError('A filter must be an object.');
  assertOptions('a filter', filter, {
    types: isNames,
    categories: isNames,
    tags: isNames,
    correlationId: isName,
    occurredFrom: isTime,
    occurredTo: isTime,
  });
  const { occurredFrom, occurredTo, ...rest } = filter;
  return {
    ...rest,
    ...(occurredFrom !== undefined && { occurredFrom: toIso(occurredFrom) }),
    ...(occurredTo !== undefined && { occurredTo: toIso(occurredTo) }),
  };
}

function matches(filter: NormalFilter, event: Filterable): boolean {
  return (
    (filter.types?.includes(event.type) ?? true) &&
    (filter.categories?.includes(parseStreamId(event.streamId).category) ?? true) &&
    (filter.tags?.every((tag) => event.tags.includes(tag)) ?? true) &&
    (filter.correlationId === undefined || filter.correlationId === event.correlationId) &&
    (filter.occurredFrom === undefined || filter.occurredFrom <= event.occurredAt) &&
    (filter.occurredTo === undefined || filter.occurredTo >= event.occurredAt)
  );
}

/** The ISO form of a time that was checked. */
function toIso(time: string | Date): string {
  return (parseTimestamp(time) as { readonly iso: string }).iso;
}
