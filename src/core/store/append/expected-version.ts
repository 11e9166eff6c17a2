import { VersionConflictError } from '../../errors/append-errors.js';
import type { ExpectedVersion } from '../event-store.js';

/** @throws {@link VersionConflictError} unless the stream stands where the append expects it */
export function assertExpectedVersion(
  streamId: string,
  expected: ExpectedVersion,
  actualVersion: number,
): void {
  if (expected === 'any' || expected === actualVersion) return;
  if (expected === 'noStream' && actualVersion === 0) return;
  if (expected === 'streamExists' && actualVersion > 0) return;
  throw versionConflict(streamId, expected, actualVersion);
}

function versionConflict(
  streamId: string,
  expectedVersion: Exclude<ExpectedVersion, 'any'>,
  actualVersion: number,
): VersionConflictError {
  const wanted =
    expectedVersion === 'noStream'
      ? 'not to exist'
      : expectedVersion === 'streamExists'
        ? 'to exist'
        : `to be at version ${expectedVersion}`;
  const found = actualVersion === 0 ? 'it does not exist' : `it is at version ${actualVersion}`;
  return new VersionConflictError(
    `Stream '${streamId}' was expected ${wanted}, but ${found}. Load it again and decide again.`,
    { streamId, expectedVersion, actualVersion },
  );
}
