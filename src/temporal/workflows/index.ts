/**
 * Ready-made workflows. Export them from your workflows module:
 * `export * from 'temporal-event-store/workflows'`.
 *
 * @packageDocumentation
 */
import { eventStoreAppend } from './event-store-workflows.js';

export { eventStoreCommandLane } from './command-lane.js';
export { eventStoreProjection } from './projection.js';
export { eventStoreProjectionShare } from './projection-share.js';
export { eventStoreAwaitProjection } from './projection-wait.js';
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
  AwaitedPosition,
  ProjectionInput,
  ProjectionMode,
  ProjectionProgress,
  ProjectionRun,
  ProjectionShareInput,
  ProjectionShareReply,
  ReachedPosition,
  RebuildRun,
} from '../shared/projection.js';
export type { CommandLaneInput, Suspect } from '../shared/command-lane.js';

// By this text `EventStorePlugin` knows a bundle that has these workflows. It stands nowhere else in what gets into a bundle.
Object.defineProperty(eventStoreAppend, Symbol.for('temporal-event-store/ready-made-workflows'), {
  value: true,
});
