import { ActivityCancellationType, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ProjectionActivities } from '../shared/activity-types.js';
import type { ProjectionShareInput, ProjectionShareReply } from '../shared/projection.js';

/** Activities after which it continues as new; they take minutes each. */
const maxActivities = 100;

/** One share of a build of a projection. A child of `eventStoreProjection`, which says when it shall end. */
export async function eventStoreProjectionShare(input: ProjectionShareInput): Promise<ProjectionShareReply> {
  const { eventStoreProject } = proxyActivities<ProjectionActivities>({
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: input.heartbeatTimeout,
    // The sink lets only the newest owner write, so there is nothing to wait for.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  });
  for (let activities = 1; ; activities++) {
    const reply = await eventStoreProject(input);
    if (reply.kind !== 'paused') return reply;
    if (activities >= maxActivities || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof eventStoreProjectionShare>(input);
    }
  }
}
