import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';

/**
 * Lets the runs of a long-lived workflow move to new versions of a worker deployment, whatever the worker's default
 * is. The server accepts this only from workers with a version, and refuses such a task from any other.
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
  // The build id wouldn't tell: the SDK makes one up for a worker without a version.
  const { deploymentName = '' } = workflowInfo().currentDeploymentVersion ?? {};
  return deploymentName === '' ? {} : { versioningBehavior: 'AUTO_UPGRADE' };
}

/**
 * Decides anew with each task. The SDK asks only once in a run, and in a replay as of the first task's worker: a run
 * that began on a worker without a version would be pinned for good. The SDK has no public way to change the answer.
 * Should it one day keep the answer elsewhere, the first one stands, and the tests of worker versioning fail.
 */
function decideAgain(): void {
  const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as { readonly __TEMPORAL_ACTIVATOR__?: object };
  if (activator === undefined) return;
  Object.defineProperty(activator, 'versioningBehavior', {
    get: () => behaviour().versioningBehavior,
    // Ignores the answer that the SDK got once.
    set: () => undefined,
    configurable: true,
  });
}
