import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { sayVersioningBehavior } from '../../core/errors/sdk-internals.js';

/**
 * Lets the runs of a long-lived workflow move to new versions of a worker deployment, whatever the worker's default
 * is. The server accepts this only from workers with a version, and refuses such a task from any other.
 */
export function autoUpgrade(workflow: (input: never) => Promise<unknown>): void {
  setWorkflowOptions(
    () => {
      // A run that began on a worker without a version would be pinned for good: a replay asks as of the worker of its first task.
      sayVersioningBehavior(() => behaviour().versioningBehavior);
      return behaviour();
    },
    workflow as (input: unknown) => Promise<unknown>,
  );
}

function behaviour(): { readonly versioningBehavior?: 'AUTO_UPGRADE' } {
  // The build id wouldn't tell: the SDK makes one up for a worker without a version.
  const { deploymentName = '' } = workflowInfo().currentDeploymentVersion ?? {};
  return deploymentName === '' ? {} : { versioningBehavior: 'AUTO_UPGRADE' };
}
