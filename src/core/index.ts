/**
 * Events, stores, aggregates, deciders, projections and reactions. It has no dependency and uses no Node API, so it
 * also runs in Temporal's workflow sandbox.
 *
 * @packageDocumentation
 */
export { AggregateRepository } from './aggregates/aggregate-repository.js';
export type {
  AggregateRepositoryOptions,
  ExecuteResult,
  SaveOptions,
} from './aggregates/aggregate-repository.js';
export { AggregateRoot } from './aggregates/aggregate-root.js';
export type { AggregateClass, EventsOf } from './aggregates/aggregate-root.js';
export type { Checkpoint, CheckpointStore } from './store/checkpoint.js';
export type { Commit, CommitChain } from './store/append/commit-chain.js';
export type {
  MultiAppendOptions,
  MultiAppendResult,
  MultiStreamAppends,
  StreamAppend,
} from './store/append/multi-stream-appends.js';
export { settledPosition } from './store/read/settled-position.js';
export type {
  EventPlace,
  EventStatistics,
  StatisticsOptions,
  StoreStatistics,
  TrendBucket,
  TrendInterval,
  TrendsOptions,
} from './store/statistics/statistics.js';
export type { ReaderHints, StoreCapabilities } from './store/capabilities.js';
export type { Snapshot, SnapshotModel, SnapshotStore } from './store/snapshot.js';
export { toCloudEvent } from './events/cloud-event.js';
export type { CloudEvent } from './events/cloud-event.js';
export { createCommandHandler } from './aggregates/command-handler.js';
export type { CommandHandler, CommandHandlerOptions, CommandResult } from './aggregates/command-handler.js';
export type { CommandList } from './aggregates/command-list.js';
export type {
  CommandArguments,
  CommandNameOf,
  CommandPayloadOf,
  CommandReceipt,
  CommandTarget,
  EventTypeOf,
  StateOf,
} from './aggregates/commands.js';
export type { Decided } from './aggregates/decided-appends.js';
export type { Decider, DomainCommand } from './aggregates/decider.js';
export { defineDecision } from './decisions/decision.js';
export type { Decision, DecisionDefinition, FilteredEvent } from './decisions/decision.js';
export type { CommandRecipient, ExecuteArguments, IdOf } from './decisions/command-call.js';
export type { DecisionTarget } from './decisions/decision-target.js';
export { createDecisionHandler } from './decisions/decision-handler.js';
export type {
  DecideOptions,
  DecisionHandler,
  DecisionHandlerOptions,
  DecisionResult,
} from './decisions/decision-handler.js';
export type { DecoratedStore } from './store/decorated-store.js';
export { findEventStoreError, isEventStoreError } from './errors/error-recognition.js';
export { CommandFailedError, CommandOutcomeUnknownError, DomainError } from './errors/command-errors.js';
export {
  AppendConditionFailedError,
  CommitExistsError,
  CommitMismatchError,
  VersionConflictError,
} from './errors/append-errors.js';
export { EventTooLargeError, EventTooNewError, InvalidEventError } from './errors/event-errors.js';
export { InvalidArgumentError } from './errors/invalid-argument-error.js';
export {
  PositionAheadOfStoreError,
  SchemaOutdatedError,
  StoreAccessDeniedError,
  StoreClosedError,
  StoreCorruptedError,
  StoreOverloadedError,
  StoreUnavailableError,
  UnsafeReadError,
} from './errors/store-errors.js';
export { RetryLaterError } from './errors/retry-later-error.js';
export { EventStoreError } from './errors/event-store-error.js';
export {
  EventNotParkedError,
  NoPreviousBuildError,
  ProjectionBehindError,
  ProjectionNotRunningError,
  ProjectionUnknownError,
  RebuildNotUnderWayError,
  RebuildUnderWayError,
} from './errors/projection-errors.js';
export type { EventStoreErrorCode } from './errors/event-store-error.js';
export type { EventStoreErrorOf } from './errors/error-classes.js';
export type { SchemaIssue } from './errors/schema-issue.js';
export { defineProjection } from './projections/projection.js';
export type {
  AnyProjection,
  Projection,
  ProjectionDefinition,
  ProjectionHandlers,
} from './projections/projection.js';
export { definePublisher } from './projections/publisher.js';
export type { EventPublisher, PublisherDefinition, PublishLimits } from './projections/publisher.js';
export { HandlerError, OwnershipLostError } from './projections/projection-sink.js';
export type {
  BuildHook,
  BuildSpec,
  EventFailure,
  ParkDecision,
  ParkedEvent,
  ParkedPlaces,
  ProjectionBuild,
  ProjectionSink,
  RebaseTarget,
  ShardKey,
  ShardOwnership,
  ShardProgress,
  SinkTransaction,
} from './projections/projection-sink.js';
export { defineReaction } from './reactions/reaction.js';
export type { CommandRejection, Reaction, ReactionDefinition, ReactionToOne } from './reactions/reaction.js';
export { sendCommand, startWorkflow } from './reactions/consequences.js';
export type {
  ConsequenceOrigin,
  CommandToSend,
  Consequence,
  Consequences,
  ReactionPort,
  SendCommandOptions,
  StartWorkflowOptions,
  WorkflowFunction,
  WorkflowToStart,
} from './reactions/consequences.js';
export { defineEvents } from './registry/event-registry.js';
export { mergeEvents } from './registry/merge-events.js';
export type { MergedDefinitions } from './registry/merge-events.js';
export type { TypedStore } from './registry/typed-store.js';
export type {
  EventDefinition,
  EventDefinitions,
  EventRegistry,
  InferEvents,
  InferNewEvents,
  Upcaster,
} from './registry/event-registry.js';
export type {
  AllSlice,
  AppendCondition,
  AppendOptions,
  AppendResult,
  EventFilter,
  EventsIn,
  EventStore,
  ExpectedVersion,
  ReadAllOptions,
  ReadDirection,
  ReadStreamOptions,
  SettledPosition,
  StreamSlice,
} from './store/event-store.js';
export type { DomainEvent, EventMetadata, EventToAppend, RecordedEvent } from './events/event.js';
export type { ExecuteOptions } from './aggregates/execute-command.js';
export { iterateAll, iterateStream } from './store/read/iterate.js';
export type { JsonValue } from './values/json.js';
export type {
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaResult,
} from './registry/standard-schema.js';
export { parseStreamId, streamId } from './store/stream-id.js';
export type { SeenEvent } from './store/read/seen-event.js';
export { subscribe } from './store/read/subscribe.js';
export type { SubscribeOptions } from './store/read/subscribe.js';
export { withEvents } from './registry/with-events.js';
