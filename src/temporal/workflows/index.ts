/**
 * Ready-made workflows. Export them from your workflows module:
 * `export * from 'temporal-event-store/workflows'`.
 *
 * @packageDocumentation
 */
import { autoUpgrade } from './auto-upgrade.js';
import { eventStoreCommandLane } from './command-lane.js';
import { eventStoreAppend } from './event-store-workflows.js';
import { eventStoreProjectionShard } from './projection-shard.js';
import { eventStoreProjection } from './projection.js';

export { eventStoreCommandLane, eventStoreProjection, eventStoreProjectionShard };
export { eventStoreAwaitProjection } from './projection-wait.js';
export {
  eventStoreAppend,
  eventStoreAppendStreams,
  eventStoreFindCommit,
  eventStoreReadAll,
  eventStoreReadStream,
  eventStoreReplay,
  eventStoreStatistics,
  eventStoreTrends,
} from './event-store-workflows.js';
export type { AppendInput, AppendStreamsInput } from './event-store-workflows.js';
export type { ReplayedState, ReplayRequest } from '../shared/activity-types.js';
export type { AwaitedPosition, ReachedPosition } from '../shared/projection-requests.js';
export type {
  ProjectionInput,
  ProjectionMode,
  ProjectionRun,
  ProjectionShardInput,
  ProjectionShardReply,
  RebuildRun,
} from '../shared/projection-run.js';
export type { ProjectionProgress } from '../shared/projection-run.js';
export type { CommandLaneInput, Suspect } from '../shared/command-lane.js';

// `EventStorePlugin` recognizes a bundle with these workflows by this text, which nothing else in a bundle contains.
Object.defineProperty(eventStoreAppend, Symbol.for('temporal-event-store/ready-made-workflows'), {
  value: true,
});

// The other workflows are short.
for (const workflow of [eventStoreCommandLane, eventStoreProjection, eventStoreProjectionShard]) {
  autoUpgrade(workflow);
}
