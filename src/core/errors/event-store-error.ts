import { crossesTemporal, errorClassName } from './temporal-failure.js';

export type EventStoreErrorCode =
  | 'VERSION_CONFLICT'
  | 'COMMIT_MISMATCH'
  | 'COMMIT_EXISTS'
  | 'APPEND_CONDITION_FAILED'
  | 'INVALID_EVENT'
  | 'EVENT_TOO_LARGE'
  | 'EVENT_TOO_NEW'
  | 'INVALID_ARGUMENT'
  | 'POSITION_AHEAD_OF_STORE'
  | 'STORE_UNAVAILABLE'
  | 'STORE_OVERLOADED'
  | 'STORE_CLOSED'
  | 'STORE_ACCESS_DENIED'
  | 'STORE_CORRUPTED'
  | 'SCHEMA_OUTDATED'
  | 'UNSAFE_READ'
  | 'COMMAND_OUTCOME_UNKNOWN'
  | 'COMMAND_FAILED'
  | 'PROJECTION_BEHIND'
  | 'PROJECTION_NOT_RUNNING'
  | 'PROJECTION_UNKNOWN'
  | 'REBUILD_UNDER_WAY'
  | 'REBUILD_NOT_UNDER_WAY'
  | 'NO_PREVIOUS_BUILD'
  | 'EVENT_NOT_PARKED'
  | 'RETRY_LATER'
  | 'DOMAIN_ERROR';

/**
 * The base class of every error of this library. Tell errors apart by `code`, or with {@link isEventStoreError}, which
 * also recognises errors of another copy of the package and those that came through Temporal.
 *
 * To Temporal it is an `ApplicationFailure`: uncaught in a workflow, it fails the workflow instead of its task, and it
 * arrives typed wherever the failure goes.
 */
export class EventStoreError extends Error {
  static {
    crossesTemporal(this.prototype);
    nameErrors(this, 'EventStoreError');
  }

  readonly code: EventStoreErrorCode;

  constructor(code: EventStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** The fields that an error's constructor takes after its message. */
export type Fields<T> = T & ErrorOptions;

/** Written out on the prototype of each class, because a minifier changes the names of classes. */
export function nameErrors({ prototype }: { readonly prototype: EventStoreError }, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(prototype, errorClassName, { value: name });
}
