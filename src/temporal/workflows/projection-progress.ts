import { proxyLocalActivities } from '@temporalio/workflow';
import type { ProjectionActivities } from '../shared/activity-types.js';
import type { ProjectionProgress } from '../shared/projection.js';
import { typed } from '../shared/remote-store.js';
import { assertInput } from '../shared/requests.js';

const local = proxyLocalActivities<ProjectionActivities>({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '50 milliseconds', maximumInterval: '2 seconds' },
});

/** How far a projection has come. `ProjectionClient.waitFor` asks by it, so that the projection's own history stays short. */
export async function eventStoreProjectionProgress(input: {
  readonly name: string;
}): Promise<ProjectionProgress> {
  const { name } = assertInput('eventStoreProjectionProgress', input);
  return typed(local.eventStoreProjectionProgress({ name: name as string }));
}
