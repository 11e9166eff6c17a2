import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';

/**
 * Lets the runs of a workflow that lives for long move to new versions of a worker deployment. The server refuses to hear of it from
 * workers that have no version.
 *
 * @returns the workflow
 */
export function autoUpgraded<Workflow extends (input: never) => Promise<unknown>>(
  workflow: Workflow,
): Workflow {
  setWorkflowOptions(
    () =>
      workflowInfo().currentDeploymentVersion === undefined ? {} : { versioningBehavior: 'AUTO_UPGRADE' },
    workflow,
  );
  return workflow;
}
