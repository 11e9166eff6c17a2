import { PositionAheadOfStoreError } from '../../errors/store-errors.js';
import {
  validatedElsewhere,
  assertOptions,
  integerFrom,
  isName,
  isSignal,
  oneOf,
} from '../../options/options.js';
import type { ReadAllOptions, ReadDirection, ReadStreamOptions, SettledPosition } from '../event-store.js';
import { assertStreamId } from '../stream-id.js';
import { normalizeFilters, type NormalFilter } from './filter.js';

const defaultPageSize = 500;

/**
 * Two of the largest commits. In memory a page takes a few times as much, and a reader that reads ahead has two of them, so that
 * several readers fit into a container of 512 MB.
 */
export const defaultPageBytes = 4_000_000;

/** Checked options with their defaults; what an adapter's read of a stream works with. */
export interface StreamRead {
  readonly fromVersion: number | undefined;
  readonly toVersion: number | undefined;
  readonly limit: number;
  readonly maxBytes: number;
  readonly direction: ReadDirection;
}

/** Checked options with their defaults; what an adapter's read of the store works with. */
export interface AllRead {
  readonly after: number | undefined;
  readonly limit: number;
  readonly maxBytes: number;
  readonly filters: readonly NormalFilter[] | undefined;
  readonly direction: ReadDirection;
}

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkStreamRead(streamId: string, options: ReadStreamOptions = {}): StreamRead {
  assertStreamId(streamId);
  assertOptions('readStream', options, {
    fromVersion: integerFrom(1),
    toVersion: integerFrom(0),
    limit: integerFrom(1),
    maxBytes: integerFrom(1),
    direction: oneOf('forward', 'backward'),
    signal: isSignal,
  });
  options.signal?.throwIfAborted();
  const { fromVersion, toVersion, direction = 'forward' } = options;
  const { limit = defaultPageSize, maxBytes = defaultPageBytes } = options;
  return { fromVersion, toVersion, limit, maxBytes, direction };
}

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkAllRead(options: ReadAllOptions = {}): AllRead {
  assertOptions('readAll', options, {
    after: integerFrom(0),
    limit: integerFrom(1),
    maxBytes: integerFrom(1),
    filter: validatedElsewhere,
    direction: oneOf('forward', 'backward'),
    signal: isSignal,
  });
  options.signal?.throwIfAborted();
  const { after, filter, direction = 'forward' } = options;
  const { limit = defaultPageSize, maxBytes = defaultPageBytes } = options;
  return { after, limit, maxBytes, filters: normalizeFilters(filter), direction };
}

/** @throws InvalidArgumentError */
export function checkFindCommit(streamId: string, commitId: string): void {
  assertStreamId(streamId);
  assertOptions('findCommit', { commitId }, { commitId: isName }, ['commitId']);
}

export function aheadOfStore(
  position: number,
  storeId: string,
  lastPosition: number,
): PositionAheadOfStoreError {
  return new PositionAheadOfStoreError(
    `Position ${position} is ahead of the store, which ends at ${lastPosition}. ` +
      `It comes from another store, or this one was restored: reset the checkpoint, or read from the start.`,
    { position, storeId, lastPosition },
  );
}

/** The error of a condition whose position is of another store, or beyond the end of this one. */
export function notInStore(
  { position, storeId: ofStore }: SettledPosition,
  storeId: string,
  lastPosition: number,
): PositionAheadOfStoreError {
  if (ofStore === storeId) return aheadOfStore(position, storeId, lastPosition);
  return new PositionAheadOfStoreError(
    `Position ${position} is of store ${ofStore}; this is ${storeId}, or its id was rotated. Read it from the start, and decide again.`,
    { position, storeId, lastPosition },
  );
}
