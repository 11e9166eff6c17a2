/**
 * For services that have a Temporal client and no database.
 *
 * @packageDocumentation
 */
export { AggregateClient } from './aggregate-client.js';
export type { AggregateClientOptions, CommandOptions } from './aggregate-client-options.js';
export { ProjectionClient } from './projection-client.js';
export type {
  ProjectionClientOptions,
  StartProjectionOptions,
  StatusOptions,
  WaitForOptions,
} from './projection-client.js';
export type { ParkedEventSummary } from '../shared/projection-run.js';
export type { ProjectionStateName, ProjectionStatus, RebuildStatus } from '../shared/projection-status.js';
export type { RebaseFrom } from '../shared/projection-requests.js';
export { TemporalEventStore } from './temporal-event-store.js';
export type { ReplayOptions, TemporalEventStoreOptions } from './temporal-event-store.js';
export type { ReplayedState, ReplayRequest } from '../shared/activity-types.js';
export { workflowMetrics } from './workflow-metrics.js';
export type { DefaultFamily, FamilyMetrics, WorkflowMetricsOptions } from './workflow-metrics.js';
