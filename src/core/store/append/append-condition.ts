import { AppendConditionFailedError } from '../../errors/append-errors.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { assertOptions, validatedElsewhere } from '../../options/options.js';
import type { AllSlice, EventFilter } from '../event-store.js';
import { normalizeFilters, type NormalFilter } from '../read/filter.js';
import { toSettledPosition, type SettledPosition } from '../read/settled-position.js';

/**
 * What an append depends on, beyond its own stream: it is refused when an event that the filter takes has been appended
 * after a position, whatever its stream.
 *
 * @example
 * const filter = { types: ['EmailTaken'], tags: ['email:ann@example.com'] };
 * const slice = await store.readAll({ filter });
 * if (slice.events.length > 0) throw new DomainError('The address is taken');
 * await store.appendToStream('User-7', [{ type: 'EmailTaken', data: {}, tags: filter.tags }], {
 *   condition: { filter, after: slice },
 * });
 */
export interface AppendCondition<Type extends string = string> {
  /**
   * The events that the decision depends on: any of the filters takes them, `{}` every event. At most 100, without times.
   *
   * Give each filter a tag that few appends share, and name it first: appends under a condition on a tag take turns with
   * the appends of events that carry it. A filter without tags is slower, since it takes turns with all appends of the
   * store.
   */
  readonly filter: EventFilter<Type> | readonly EventFilter<Type>[];
  /**
   * Up to where the caller knows these events: the last slice of a forward `readAll`, read until `isEnd`, or its `settled`
   * position. The position of an event or append won't do.
   */
  readonly after: AllSlice | SettledPosition;
}

/** A condition that is checked. Plain JSON. */
export interface CheckedCondition {
  readonly filter: readonly NormalFilter[];
  readonly after: SettledPosition;
}

/** Each filter takes a lock. */
const maxFilters = 100;

/** @throws InvalidArgumentError */
export function checkCondition(condition: AppendCondition): CheckedCondition {
  const call = 'a condition';
  const checks = { filter: validatedElsewhere, after: validatedElsewhere };
  assertOptions(call, condition, checks, ['filter', 'after']);
  const filter = checkConditionFilter(condition.filter, call);
  return { filter, after: toSettledPosition(call, condition.after) };
}

/**
 * @param call whose filter it is, for errors
 * @throws InvalidArgumentError
 */
export function checkConditionFilter(
  given: AppendCondition['filter'],
  call: string,
): readonly NormalFilter[] {
  const filter = normalizeFilters(given) ?? [];
  if (filter.length === 0) {
    throw new InvalidArgumentError(`The option 'filter' of ${call} is missing. {} takes every event.`);
  }
  if (filter.length > maxFilters) {
    throw new InvalidArgumentError(
      `${call} has ${filter.length} filters; at most ${maxFilters} are allowed.`,
    );
  }
  if (filter.some(({ occurredFrom, occurredTo }) => (occurredFrom ?? occurredTo) !== undefined)) {
    throw new InvalidArgumentError(
      `The filter of ${call} has times. Another append may store an event of any time, so filter by types, categories, tags or correlation id.`,
    );
  }
  return filter;
}

/** The event in the way of a condition. */
export interface ConflictingEvent {
  /** Absent when it is of an append that was committed together with this one. */
  readonly position?: number;
  readonly streamId: string;
  readonly type: string;
  readonly id: string;
}

export function conditionFailed(after: number, conflict: ConflictingEvent): AppendConditionFailedError {
  const { position, streamId, type } = conflict;
  const place = position === undefined ? '' : ` at position ${position}`;
  return new AppendConditionFailedError(
    `The append depends on events up to position ${after}, but '${type}' of stream '${streamId}' was appended meanwhile${place}. ` +
      `Read on from there and decide again.`,
    { after, conflict },
  );
}
