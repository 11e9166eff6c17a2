import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { assertOptions, integerFrom, isName, isPlainObject } from '../../options/options.js';
import { describeValue } from '../../values/describe-value.js';
import type { AllSlice, SettledPosition } from '../event-store.js';

/** For adapters of a store: marks a position as settled. */
export function settledPosition(position: number, storeId: string): SettledPosition {
  return { position, storeId } as SettledPosition;
}

/** Adds the settled position to a slice of a forward read, if it has reached the end. */
export function withSettled<S extends AllSlice>(slice: S): S {
  const { isEnd, position, storeId } = slice;
  return isEnd ? { ...slice, settled: settledPosition(position, storeId) } : slice;
}

/** @throws InvalidArgumentError when it is neither a settled position nor a slice that has one */
export function toSettledPosition(call: string, after: AllSlice | SettledPosition): SettledPosition {
  // Events, streams and results of appends have a version.
  if (isPlainObject(after) !== undefined || 'version' in after) {
    throw new InvalidArgumentError(
      `'after' of ${call} must be the last slice of a forward readAll, or its 'settled' position, not ${describeValue(after)}: ` +
        `an append with a smaller position than that of an event or append may still be under way.`,
    );
  }
  if (!('events' in after)) {
    const checks = { position: integerFrom(0), storeId: isName };
    assertOptions(`'after' of ${call}`, after, checks, ['position', 'storeId']);
    return settledPosition(after.position, after.storeId);
  }
  if (after.settled !== undefined) return toSettledPosition(call, after.settled);
  throw new InvalidArgumentError(
    after.isEnd
      ? `'after' of ${call} is a slice without a settled position: it was read backwards, or by a store that knows none, or while an append was under way ` +
          `behind the position where the read began. Read forwards and with the filter of the condition, which waits for such an append.`
      : `'after' of ${call} is a slice that ends before the end. Read on with 'after: slice.position', until 'isEnd'.`,
  );
}
