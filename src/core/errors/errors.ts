import { findJsonFault, type JsonValue } from '../values/json.js';
import { EventStoreError, type EventStoreErrorCode, type Fields } from './event-store-error.js';
import {
  EventNotParkedError,
  NoPreviousBuildError,
  ProjectionBehindError,
  ProjectionNotRunningError,
  ProjectionUnknownError,
  RebuildNotUnderWayError,
  RebuildUnderWayError,
} from './projection-errors.js';
import { crossesTemporal, errorBrand, errorClassName } from './temporal-failure.js';

/** The stream is not at the version that the append expected. Load again and decide again. */
export class VersionConflictError extends EventStoreError {
  declare readonly code: 'VERSION_CONFLICT';
  readonly streamId: string;
  readonly expectedVersion: number | 'noStream' | 'streamExists';
  readonly actualVersion: number;

  constructor(
    message: string,
    fields: Fields<Pick<VersionConflictError, 'streamId' | 'expectedVersion' | 'actualVersion'>>,
  ) {
    super('VERSION_CONFLICT', message, fields);
    this.streamId = fields.streamId;
    this.expectedVersion = fields.expectedVersion;
    this.actualVersion = fields.actualVersion;
  }
}

/**
 * The commit id (or command id) was used on this stream before, with other content. Give each request an id of its own.
 */
export class CommitMismatchError extends EventStoreError {
  declare readonly code: 'COMMIT_MISMATCH';
  readonly streamId: string;
  readonly commitId: string;

  constructor(message: string, fields: Fields<Pick<CommitMismatchError, 'streamId' | 'commitId'>>) {
    super('COMMIT_MISMATCH', message, fields);
    this.streamId = fields.streamId;
    this.commitId = fields.commitId;
  }
}

/** `appendCommits` found some of its commits stored already, and appended nothing. Leave these out. */
export class CommitExistsError extends EventStoreError {
  declare readonly code: 'COMMIT_EXISTS';
  readonly streamId: string;
  readonly commitIds: readonly string[];

  constructor(message: string, fields: Fields<Pick<CommitExistsError, 'streamId' | 'commitIds'>>) {
    super('COMMIT_EXISTS', message, fields);
    this.streamId = fields.streamId;
    this.commitIds = fields.commitIds;
  }
}

/** One place where a value does not fit its schema. */
export interface SchemaIssue {
  /** Such as `payload.lines[2].price`. */
  readonly path: string;
  /** In the schema's words. */
  readonly message: string;
}

/** An event would not come back from the store as it was given, or does not fit its schema. */
export class InvalidEventError extends EventStoreError {
  declare readonly code: 'INVALID_EVENT';
  /** The path of the first fault, such as `events[0].data.lines[2].price`. */
  readonly path: string;
  /** The first 10 places where it does not fit its schema. Absent for other faults. */
  declare readonly issues?: readonly SchemaIssue[];
  /** The number of faults beyond `issues`. */
  declare readonly moreIssues?: number;

  constructor(message: string, fields: Fields<Pick<InvalidEventError, 'path' | 'issues' | 'moreIssues'>>) {
    super('INVALID_EVENT', message, fields);
    this.path = fields.path;
    if (fields.issues !== undefined) this.issues = fields.issues;
    if (fields.moreIssues !== undefined) this.moreIssues = fields.moreIssues;
  }
}

/** A commit, or a state or page that Temporal has to carry, is larger than its limit. */
export class EventTooLargeError extends EventStoreError {
  declare readonly code: 'EVENT_TOO_LARGE';
  /** Bytes of JSON. */
  readonly size: number;
  /** Bytes of JSON. */
  readonly limit: number;

  constructor(message: string, fields: Fields<Pick<EventTooLargeError, 'size' | 'limit'>>) {
    super('EVENT_TOO_LARGE', message, fields);
    this.size = fields.size;
    this.limit = fields.limit;
  }
}

/**
 * A recorded event has a newer schema version than this process knows. Deploy the release that knows it; its processes
 * can read the event.
 */
export class EventTooNewError extends EventStoreError {
  declare readonly code: 'EVENT_TOO_NEW';
  readonly streamId: string;
  readonly version: number;
  readonly eventType: string;
  readonly schemaVersion: number;
  /** The newest schema version that this process knows. */
  readonly knownSchemaVersion: number;

  constructor(
    message: string,
    fields: Fields<
      Pick<EventTooNewError, 'streamId' | 'version' | 'eventType' | 'schemaVersion' | 'knownSchemaVersion'>
    >,
  ) {
    super('EVENT_TOO_NEW', message, fields);
    this.streamId = fields.streamId;
    this.version = fields.version;
    this.eventType = fields.eventType;
    this.schemaVersion = fields.schemaVersion;
    this.knownSchemaVersion = fields.knownSchemaVersion;
  }
}

/** The call is wrong: an unknown option, a wrong type, a malformed name, a command that isn't listed. */
export class InvalidArgumentError extends EventStoreError {
  declare readonly code: 'INVALID_ARGUMENT';
  /** The first 10 places where the payload of a command does not fit its schema. Absent for other faults. */
  declare readonly issues?: readonly SchemaIssue[];
  /** The number of faults beyond `issues`. */
  declare readonly moreIssues?: number;

  constructor(message: string, fields: Fields<Pick<InvalidArgumentError, 'issues' | 'moreIssues'>> = {}) {
    super('INVALID_ARGUMENT', message, fields);
    if (fields.issues !== undefined) this.issues = fields.issues;
    if (fields.moreIssues !== undefined) this.moreIssues = fields.moreIssues;
  }
}

/**
 * The position to read after is beyond the store's end: it belongs to another store, or the store was restored from an
 * older backup.
 */
export class PositionAheadOfStoreError extends EventStoreError {
  declare readonly code: 'POSITION_AHEAD_OF_STORE';
  /** The position that the reader gave. */
  readonly position: number;
  readonly storeId: string;
  /** The last position of the store. */
  readonly lastPosition: number;

  constructor(
    message: string,
    fields: Fields<Pick<PositionAheadOfStoreError, 'position' | 'storeId' | 'lastPosition'>>,
  ) {
    super('POSITION_AHEAD_OF_STORE', message, fields);
    this.position = fields.position;
    this.storeId = fields.storeId;
    this.lastPosition = fields.lastPosition;
  }
}

/** The store gave no answer, so the outcome of the call is unknown. Retry an append with this `commitId`. */
export class StoreUnavailableError extends EventStoreError {
  declare readonly code: 'STORE_UNAVAILABLE';
  readonly commitId?: string;

  constructor(message: string, fields: Fields<{ readonly commitId?: string | undefined }> = {}) {
    super('STORE_UNAVAILABLE', message, fields);
    if (fields.commitId !== undefined) this.commitId = fields.commitId;
  }
}

/** The store's queue is full; nothing was stored. Try again later. */
export class StoreOverloadedError extends EventStoreError {
  declare readonly code: 'STORE_OVERLOADED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_OVERLOADED', message, options);
  }
}

/** The store was closed before the call; nothing was stored. */
export class StoreClosedError extends EventStoreError {
  declare readonly code: 'STORE_CLOSED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_CLOSED', message, options);
  }
}

/** The database refuses the credentials, or the role lacks rights. */
export class StoreAccessDeniedError extends EventStoreError {
  declare readonly code: 'STORE_ACCESS_DENIED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_ACCESS_DENIED', message, options);
  }
}

/**
 * The database found files damaged that the call needed. Repeating it doesn't help: an operator has to restore or
 * rebuild what is damaged. Whether an append was stored is unknown.
 */
export class StoreCorruptedError extends EventStoreError {
  declare readonly code: 'STORE_CORRUPTED';

  constructor(message: string, options?: ErrorOptions) {
    super('STORE_CORRUPTED', message, options);
  }
}

/** The store's schema is missing, or older than this version of the library needs. Call `migrate()` as its owner. */
export class SchemaOutdatedError extends EventStoreError {
  declare readonly code: 'SCHEMA_OUTDATED';

  constructor(message: string, options?: ErrorOptions) {
    super('SCHEMA_OUTDATED', message, options);
  }
}

/** This server, for example a standby, can't guarantee to read in order. Read from the primary. */
export class UnsafeReadError extends EventStoreError {
  declare readonly code: 'UNSAFE_READ';

  constructor(message: string, options?: ErrorOptions) {
    super('UNSAFE_READ', message, options);
  }
}

/** A command got no answer in time. It may have taken effect: send it again with the same `commandId`. */
export class CommandOutcomeUnknownError extends EventStoreError {
  declare readonly code: 'COMMAND_OUTCOME_UNKNOWN';
  readonly commandId: string;

  constructor(message: string, fields: Fields<Pick<CommandOutcomeUnknownError, 'commandId'>>) {
    super('COMMAND_OUTCOME_UNKNOWN', message, fields);
    this.commandId = fields.commandId;
  }
}

/**
 * The code of an aggregate threw something other than a {@link DomainError} while it decided a command or built its
 * state, or took too long. Nothing was stored. Fix the code.
 */
export class CommandFailedError extends EventStoreError {
  declare readonly code: 'COMMAND_FAILED';

  constructor(message: string, options?: ErrorOptions) {
    super('COMMAND_FAILED', message, options);
  }
}

/**
 * Throw it from a handler or a publisher when no event is to blame: the receiver can't be reached, or is too busy. The
 * projection keeps its place, is `waiting`, and tries again for as long as it takes.
 *
 * @example
 * throw new RetryLaterError("The broker can't be reached", { retryAfter: 5_000 });
 */
export class RetryLaterError extends EventStoreError {
  declare readonly code: 'RETRY_LATER';
  /** Milliseconds until the next attempt. Default: pauses that grow from 200 ms to 30 s. */
  readonly retryAfter?: number;
  /**
   * How many events of the page, from the first, a publisher has published: they don't come again. Ignored outside of
   * publishers. Default 0.
   */
  readonly done?: number;

  /** @throws {@link InvalidArgumentError} when a field is not a number from 0 */
  constructor(
    message: string,
    fields: Fields<{ readonly retryAfter?: number | undefined; readonly done?: number | undefined }> = {},
  ) {
    super('RETRY_LATER', message, fields);
    for (const [name, value] of Object.entries({ retryAfter: fields.retryAfter, done: fields.done })) {
      if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
        throw new InvalidArgumentError(`The '${name}' of a RetryLaterError must be a number from 0.`);
      }
    }
    if (fields.retryAfter !== undefined) this.retryAfter = fields.retryAfter;
    if (fields.done !== undefined) this.done = fields.done;
  }
}

/**
 * A business rule said no. Throw it from aggregates and deciders; it is never retried.
 *
 * @example
 * throw new DomainError('The payment is captured already', { reason: 'ALREADY_CAPTURED' });
 */
export class DomainError extends EventStoreError {
  declare readonly code: 'DOMAIN_ERROR';
  /** Your own code for the rule, for programs to compare. */
  readonly reason?: string;
  readonly details?: JsonValue;

  /** @throws {@link InvalidArgumentError} when the details are not JSON */
  constructor(
    message: string,
    options: Fields<{ readonly reason?: string | undefined; readonly details?: JsonValue | undefined }> = {},
  ) {
    super('DOMAIN_ERROR', message, options);
    if (options.reason !== undefined) this.reason = options.reason;
    if (options.details !== undefined) {
      const fault = findJsonFault(options.details);
      if (fault) throw new InvalidArgumentError(`In a DomainError, details${fault.path} ${fault.problem}.`);
      this.details = options.details;
    }
  }
}

/** The classes by name, to rebuild an error on the other side of a boundary. */
export const errorClasses = {
  VersionConflictError,
  CommitMismatchError,
  CommitExistsError,
  InvalidEventError,
  EventTooLargeError,
  EventTooNewError,
  InvalidArgumentError,
  PositionAheadOfStoreError,
  StoreUnavailableError,
  StoreOverloadedError,
  StoreClosedError,
  StoreAccessDeniedError,
  StoreCorruptedError,
  SchemaOutdatedError,
  UnsafeReadError,
  CommandOutcomeUnknownError,
  CommandFailedError,
  ProjectionBehindError,
  ProjectionNotRunningError,
  ProjectionUnknownError,
  RebuildUnderWayError,
  RebuildNotUnderWayError,
  NoPreviousBuildError,
  EventNotParkedError,
  RetryLaterError,
  DomainError,
};

/** The error class of a code. */
export type EventStoreErrorOf<Code extends EventStoreErrorCode> = Extract<
  InstanceType<(typeof errorClasses)[keyof typeof errorClasses]>,
  { readonly code: Code }
>;

Object.defineProperty(EventStoreError.prototype, errorBrand, { value: true });
crossesTemporal(EventStoreError.prototype);
// Written out on the prototypes, because a minifier changes the names of classes.
for (const [name, { prototype }] of Object.entries({ EventStoreError, ...errorClasses })) {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(prototype, errorClassName, { value: name });
}
