import {
  AppendConditionFailedError,
  CommitExistsError,
  CommitMismatchError,
  VersionConflictError,
} from './append-errors.js';
import { CommandOutcomeUnknownError, CommandFailedError, DomainError } from './command-errors.js';
import { InvalidEventError, EventTooLargeError, EventTooNewError } from './event-errors.js';
import type { EventStoreErrorCode } from './event-store-error.js';
import { InvalidArgumentError } from './invalid-argument-error.js';
import {
  EventNotParkedError,
  NoPreviousBuildError,
  ProjectionBehindError,
  ProjectionNotRunningError,
  ProjectionUnknownError,
  RebuildNotUnderWayError,
  RebuildUnderWayError,
} from './projection-errors.js';
import { RetryLaterError } from './retry-later-error.js';
import {
  PositionAheadOfStoreError,
  StoreUnavailableError,
  StoreOverloadedError,
  StoreClosedError,
  StoreAccessDeniedError,
  StoreCorruptedError,
  SchemaOutdatedError,
  UnsafeReadError,
} from './store-errors.js';

/** All of them, to rebuild an error by its name on the other side of a boundary. */
export const errorClasses = [
  VersionConflictError,
  CommitMismatchError,
  CommitExistsError,
  AppendConditionFailedError,
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
] as const;

/** The error class of a code. */
export type EventStoreErrorOf<Code extends EventStoreErrorCode> = Extract<
  InstanceType<(typeof errorClasses)[number]>,
  { readonly code: Code }
>;
