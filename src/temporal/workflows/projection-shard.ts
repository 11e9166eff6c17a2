import { ActivityCancellationType, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { ProjectionShardInput, ProjectionShardReply } from '../shared/projection-run.js';
import { untilDone } from './projection-tasks.js';

/** Activities after which it continues as new. A busy one takes ten minutes, an idle one an hour; less if the pace changes. */
const maxActivities = 100;

/** One shard of a build of a projection. A child of `eventStoreProjection`, which cancels it when it is to end. */
export async function eventStoreProjectionShard(input: ProjectionShardInput): Promise<ProjectionShardReply> {
  let idle: { readonly heartbeatTimeout: number } | undefined;
  for (let activities = 1; ; activities++) {
    const activity = {
      startToCloseTimeout: '1 hour',
      heartbeatTimeout: idle?.heartbeatTimeout ?? input.heartbeatTimeout,
      // The sink lets only the newest owner write, so there is nothing to wait for.
      cancellationType: ActivityCancellationType.TRY_CANCEL,
    } as const;
    const shard: ProjectionShardInput = { ...input, ...(idle && { isIdle: true }) };
    const reply = await untilDone(activity, (tasks) => tasks.eventStoreProject(shard));
    if (reply.kind !== 'paused') return reply;
    idle = reply.idle;
    if (activities >= maxActivities || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof eventStoreProjectionShard>(input);
    }
  }
}
