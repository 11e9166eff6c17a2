/**
 * Factories of the activities that a worker registers.
 *
 * @packageDocumentation
 */
export { createAggregateActivities } from './commands/aggregate-activities.js';
export type {
  AggregateActivitiesOptions,
  CommandLaneOptions,
  StateCacheOptions,
} from './commands/aggregate-activities.js';
export type { AnyAggregate, AnyDecision } from './commands/aggregate-registry.js';
export { createProjectionActivities } from './projections/projection-activities.js';
export type { ProjectionActivitiesOptions } from './projections/projection-activities.js';
export { createEventStoreActivities } from './events/event-store-activities.js';
export type { EventStoreActivitiesOptions } from './events/event-store-activities.js';
export type { EventPublisher } from '../../core/projections/publisher.js';
export { WebhookPublisher } from './webhooks/webhook-publisher.js';
export type { WebhookPublisherOptions } from './webhooks/webhook-publisher.js';
export type { ActivityLogger } from './logged.js';
export type {
  AggregateActivities,
  AppendReply,
  AppendRequest,
  AppendRequestPart,
  AppendStreamsRequest,
  BuildRequest,
  DecideParkedRequest,
  EventStoreActivities,
  ProjectionActivities,
  ProjectionRequest,
  PublishRequest,
  ReadAllRequest,
  ReadStreamRequest,
  ReplayedState,
  ReplayRequest,
  ReplayTask,
  StatisticsRequest,
  TrendsRequest,
} from '../shared/activity-types.js';
export type {
  CommandOutcome,
  CommandReference,
  ExecuteRequest,
  LaneCommand,
  LaneSettings,
} from '../shared/command-lane.js';
export type { ErrorMessage } from '../shared/error-message.js';
export type { AwaitedPosition, ReachedPosition } from '../shared/projection-requests.js';
export type { BlockedShard, ProjectionShardInput, ProjectionShardReply } from '../shared/projection-run.js';
export type { ParkedEventSummary, ProjectionProgress } from '../shared/projection-run.js';
