/**
 * Ready-made workflows. Export them from your workflows module:
 * `export * from 'temporal-event-store/workflows'`.
 *
 * @packageDocumentation
 */
export { eventStoreCommandLane } from './command-lane.js';
export { eventStoreProjection } from './projection.js';
export { eventStoreProjectionProgress } from './projection-progress.js';
export { eventStoreProjectionShare } from './projection-share.js';
export {
  eventStoreAppend,
  eventStoreFindCommit,
  eventStoreReadAll,
  eventStoreReadStream,
  eventStoreReplay,
  eventStoreStatistics,
  eventStoreTrends,
} from './event-store-workflows.js';
export type { AppendInput } from './event-store-workflows.js';
export type { ReplayedState, ReplayRequest } from '../shared/activity-types.js';
export type {
  ProjectionInput,
  ProjectionMode,
  ProjectionProgress,
  ProjectionRun,
  ProjectionShareInput,
  ProjectionShareReply,
  RebuildRun,
} from '../shared/projection.js';
export type { CommandLaneInput } from '../shared/command-lane.js';
