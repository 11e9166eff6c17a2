/**
 * Events, stores, aggregates and deciders. No dependency and no Node API: it runs in Temporal's workflow sandbox too.
 *
 * @packageDocumentation
 */
export { AggregateRepository } from './aggregate-repository.js';
export type { AggregateRepositoryOptions, ExecuteResult, SaveOptions } from './aggregate-repository.js';
export { AggregateRoot } from './aggregate-root.js';
export type { AggregateClass, EventsOf } from './aggregate-root.js';
export type {
  Checkpoint,
  CheckpointStore,
  Commit,
  CommitChain,
  EventPlace,
  EventStatistics,
  Snapshot,
  SnapshotModel,
  SnapshotStore,
  StatisticsOptions,
  StoreCapabilities,
  StoreStatistics,
  TrendBucket,
  TrendInterval,
  TrendsOptions,
} from './capabilities.js';
export { toCloudEvent } from './cloud-event.js';
export type { CloudEvent } from './cloud-event.js';
export { createCommandHandler } from './command-handler.js';
export type { CommandHandler, CommandHandlerOptions, CommandResult } from './command-handler.js';
export type { Decider, DomainCommand } from './decider.js';
export type { DecoratedStore } from './decorated-store.js';
export { findEventStoreError, isEventStoreError } from './error-recognition.js';
export {
  CommandFailedError,
  CommandTimeoutError,
  CommitExistsError,
  CommitMismatchError,
  ConcurrencyError,
  DomainError,
  EventStoreError,
  EventTooLargeError,
  InvalidArgumentError,
  InvalidEventError,
  PositionAheadOfStoreError,
  SchemaVersionError,
  StoreAccessError,
  StoreClosedError,
  StoreOverloadedError,
  StoreUnavailableError,
  UnsafeReadError,
} from './errors.js';
export type { EventStoreErrorCode, EventStoreErrorOf } from './errors.js';
export { defineEvents } from './event-registry.js';
export type { EventDefinition, EventRegistry, InferEvents, Upcaster } from './event-registry.js';
export type {
  AllSlice,
  AppendOptions,
  AppendResult,
  EventFilter,
  EventStore,
  ExpectedVersion,
  ReadAllOptions,
  ReadDirection,
  ReadStreamOptions,
  StreamSlice,
} from './event-store.js';
export type { DomainEvent, EventMetadata, EventToAppend, RecordedEvent } from './event.js';
export type { ExecuteOptions } from './execute-command.js';
export { iterateAll, iterateStream } from './iterate.js';
export type { JsonValue } from './json.js';
export type { StandardSchema, StandardSchemaIssue, StandardSchemaResult } from './standard-schema.js';
export { parseStreamId, streamId } from './stream-id.js';
export { subscribe } from './subscribe.js';
export type { SubscribeOptions } from './subscribe.js';
export { withEvents } from './with-events.js';
