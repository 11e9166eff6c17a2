import { assertOptions, isName, isPlainObject, isSignal, validatedElsewhere } from '../../options/options.js';
import type { AppendOptions, ExpectedVersion } from '../event-store.js';
import { assertStreamId } from '../stream-id.js';
import { checkCondition, type CheckedCondition } from './append-condition.js';

const chainOptions = { expectedVersion: isExpectedVersion, signal: isSignal };
const appendOptions = {
  ...chainOptions,
  commitId: isName,
  metadata: isPlainObject,
  condition: validatedElsewhere,
};

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkChainOptions(
  streamId: string,
  options: { readonly expectedVersion?: ExpectedVersion; readonly signal?: AbortSignal } = {},
): void {
  assertStreamId(streamId);
  assertOptions('appendCommits', options, chainOptions);
  options.signal?.throwIfAborted();
}

/** @throws InvalidArgumentError · the signal's reason when it is aborted */
export function checkAppendOptions(
  streamId: string,
  options: AppendOptions = {},
): CheckedCondition | undefined {
  assertStreamId(streamId);
  assertOptions('appendToStream', options, appendOptions);
  options.signal?.throwIfAborted();
  return checkCondition(options.condition);
}

export function isExpectedVersion(value: unknown): string | undefined {
  return (Number.isSafeInteger(value) && (value as number) >= 0) ||
    ['any', 'noStream', 'streamExists'].includes(value as string)
    ? undefined
    : `a version from 0, 'any', 'noStream' or 'streamExists'`;
}
