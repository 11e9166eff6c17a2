import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';

/**
 * Lets the runs of a workflow that lives for long move to new versions of a worker deployment, whatever the worker's default is. The
 * server takes that from workers with a version only: it refuses each task of others that says so.
 */
export function autoUpgrade(workflow: (input: never) => Promise<unknown>): void {
  setWorkflowOptions(
    () => {
      decideAgain();
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

/**
 * With each task. The SDK asks once in a run, and where that is replayed, as of the worker of its first task: a run that began on a worker
 * without a version would be pinned for good. It has no public way to say it anew; should it keep it elsewhere one day, what it asked
 * once is left, and the tests of worker versioning fail.
 */
function decideAgain(): void {
  const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as { readonly __TEMPORAL_ACTIVATOR__?: object };
  if (activator === undefined) return;
  Object.defineProperty(activator, 'versioningBehavior', {
    get: () => behaviour().versioningBehavior,
    // What it has been told once.
    set: () => undefined,
    configurable: true,
  });
}
