import { ActivityCancellationType, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { ProjectionShareInput, ProjectionShareReply } from '../shared/projection.js';
import { untilDone } from './projection-tasks.js';

/** Activities after which it continues as new; they take minutes each. */
const maxActivities = 100;

/** One share of a build of a projection. A child of `eventStoreProjection`, which says when it shall end. */
export async function eventStoreProjectionShare(input: ProjectionShareInput): Promise<ProjectionShareReply> {
  const activity = {
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: input.heartbeatTimeout,
    // The sink lets only the newest owner write, so there is nothing to wait for.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  } as const;
  for (let activities = 1; ; activities++) {
    const reply = await untilDone(activity, (tasks) => tasks.eventStoreProject(input));
    if (reply.kind !== 'paused') return reply;
    if (activities >= maxActivities || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof eventStoreProjectionShare>(input);
    }
  }
}
