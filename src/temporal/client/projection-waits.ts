import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import type { ProjectionSigns } from '../shared/projection.js';

type Description = WorkflowExecutionDescription['raw'];
type PendingActivity = NonNullable<Description['pendingActivities']>[number];

/** Of each, that of the first share that has some. */
export type ShownSigns = Pick<ProjectionSigns, 'waitsFor' | 'warning'>;

/** `PENDING_ACTIVITY_STATE_SCHEDULED`: it has failed, and waits for its next attempt. */
const scheduled = 1;

/**
 * What holds up one of the shares of a projection: what its activity says with its signs of life, or what it failed of when it
 * is to be tried again. The workflows don't hear of either.
 *
 * @param workflowId of the projection
 */
export async function findSigns(client: Client, workflowId: string): Promise<ShownSigns> {
  let found: ShownSigns = {};
  const projection = await describe(client, workflowId);
  for (const child of projection?.pendingChildren ?? []) {
    const share = await describe(client, child.workflowId ?? '');
    for (const activity of share?.pendingActivities ?? []) {
      found = { ...(await signsOf(client, activity)), ...found };
    }
  }
  return found;
}

async function signsOf(client: Client, activity: PendingActivity): Promise<ShownSigns> {
  const { state, lastFailure, heartbeatDetails } = activity;
  if (Number(state) === scheduled && lastFailure?.message) return { waitsFor: lastFailure.message };
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let payloads = heartbeatDetails?.payloads ?? [];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  const [details] = payloads;
  const { waitsFor, warning } =
    (details && payloadConverter.fromPayload<ProjectionSigns | undefined>(details)) ?? {};
  return { ...(waitsFor !== undefined && { waitsFor }), ...(warning !== undefined && { warning }) };
}

/** Undefined when it has just ended. */
async function describe(client: Client, workflowId: string): Promise<Description | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).raw;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
