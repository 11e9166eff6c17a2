import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';

/**
 * What is thrown when a standby answers for the primary: as of a store that can't be reached, so that it is tried again. A failover ends it.
 */
export function untilPrimary(error: unknown): unknown {
  const unsafe = findEventStoreError(error, 'UNSAFE_READ');
  return unsafe === undefined ? error : new StoreUnavailableError(unsafe.message, { cause: error });
}
