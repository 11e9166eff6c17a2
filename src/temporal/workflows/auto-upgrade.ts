import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { sayVersioningBehavior } from '../../core/errors/sdk-internals.js';

/**
 * Lets the runs of a workflow that lives for long move to new versions of a worker deployment, whatever the worker's default is. The
 * server takes that from workers with a version only: it refuses each task of others that says so.
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
  // A worker without a version has a build id too, which the SDK makes up.
  const { deploymentName = '' } = workflowInfo().currentDeploymentVersion ?? {};
  return deploymentName === '' ? {} : { versioningBehavior: 'AUTO_UPGRADE' };
}
