import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { StoreUnavailableError } from '../../../core/errors/store-errors.js';

/**
 * Turns the error of a standby that answers for the primary into one of a store that can't be reached, so that it is
 * retried until the failover ends.
 */
export function untilPrimary(error: unknown): unknown {
  const unsafe = findEventStoreError(error, 'UNSAFE_READ');
  return unsafe === undefined ? error : new StoreUnavailableError(unsafe.message, { cause: error });
}
