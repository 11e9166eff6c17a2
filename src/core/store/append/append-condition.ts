import { AppendConditionFailedError } from '../../errors/append-errors.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { assertOptions, validatedElsewhere } from '../../options/options.js';
import type { AppendCondition, SettledPosition } from '../event-store.js';
import { normalizeFilters, type NormalFilter } from '../read/filter.js';
import { toSettledPosition } from '../read/settled-position.js';

/** A condition that is checked. Plain JSON. */
export interface CheckedCondition {
  readonly filter: readonly NormalFilter[];
  readonly after: SettledPosition;
}

/** Each filter takes a lock. */
const maxFilters = 100;

/** @throws InvalidArgumentError */
export function checkCondition(condition: AppendCondition | undefined): CheckedCondition | undefined {
  if (condition === undefined) return undefined;
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
  // A copy: the append may wait, and its caller go on to change the filter.
  return JSON.parse(JSON.stringify(filter)) as readonly NormalFilter[];
}

/** The event in the way of a condition. What else a stored event has doesn't cross with the error. */
export interface ConflictingEvent {
  /** Absent when it is of an append that was committed together with this one. */
  readonly position?: number;
  readonly streamId: string;
  readonly type: string;
  readonly id: string;
}

export function conditionFailed(after: number, conflict: ConflictingEvent): AppendConditionFailedError {
  const { position, streamId, type, id } = conflict;
  const place = position === undefined ? '' : ` at position ${position}`;
  return new AppendConditionFailedError(
    `The append depends on events up to position ${after}, but '${type}' of stream '${streamId}' was appended meanwhile${place}. ` +
      `Read on from there and decide again.`,
    { after, conflict: { ...(position !== undefined && { position }), streamId, type, id } },
  );
}
