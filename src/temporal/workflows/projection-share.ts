import { ActivityCancellationType, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ProjectionActivities } from '../shared/activity-types.js';
import type { ProjectionShareInput, ProjectionShareReply } from '../shared/projection.js';

/** Activities after which it continues as new. A busy one takes ten minutes, an idle one an hour, and both less where the pace changes. */
const maxActivities = 100;

/** One share of a build of a projection. A child of `eventStoreProjection`, which says when it shall end. */
export async function eventStoreProjectionShare(input: ProjectionShareInput): Promise<ProjectionShareReply> {
  let idle: { readonly heartbeatTimeout: number } | undefined;
  for (let activities = 1; ; activities++) {
    const { eventStoreProject } = proxyActivities<ProjectionActivities>({
      startToCloseTimeout: '1 hour',
      heartbeatTimeout: idle?.heartbeatTimeout ?? input.heartbeatTimeout,
      // The sink lets only the newest owner write, so there is nothing to wait for.
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
    });
    const reply = await eventStoreProject({ ...input, ...(idle && { isIdle: true }) });
    if (reply.kind !== 'paused') return reply;
    idle = reply.idle;
    if (activities >= maxActivities || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof eventStoreProjectionShare>(input);
    }
  }
}
