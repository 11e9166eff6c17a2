import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import type { ShardHeartbeat } from '../shared/projection-run.js';

type Description = WorkflowExecutionDescription['raw'];
type PendingActivity = NonNullable<Description['pendingActivities']>[number];

/** The signs of a projection; each is that of the first shard that has one. */
export interface ShownSigns extends Pick<ShardHeartbeat, 'waitsFor' | 'warning'> {
  /** What holds up the `next` build. */
  readonly rebuildWaitsFor?: string;
}

/** What the client already knows of a projection. */
export interface Seen {
  /** The position of the live build. Signs that a shard gave before it came there are outdated. */
  readonly position: number;
  /** Number of the `next` build. */
  readonly next?: number | undefined;
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED`: the activity has failed, and waits for its next attempt. */
const scheduled = 1;

/** The activities of a rebuild. */
const rebuilding = ['eventStoreBeginBuild', 'eventStoreVerifyBuild', 'eventStoreActivateBuild'];

/**
 * Finds what holds up a projection or one of its shards: in an activity's heartbeats, or in its last failure if it is
 * to be retried. The workflows learn of neither.
 *
 * @param workflowId of the projection
 */
export async function findSigns(
  client: Client,
  workflowId: string,
  { position, next }: Seen,
): Promise<ShownSigns> {
  let found: ShownSigns = {};
  const add = async (activity: PendingActivity, isOfNext: boolean): Promise<void> => {
    const { waitsFor: said, warning, position: saidAt = position } = await signsOf(client, activity);
    const waitsFor = isOfNext || saidAt >= position ? said : undefined;
    const key = isOfNext ? 'rebuildWaitsFor' : 'waitsFor';
    found = {
      ...(waitsFor !== undefined && { [key]: waitsFor }),
      ...(warning !== undefined && { warning }),
      ...found,
    };
  };
  const projection = await describe(client, workflowId);
  for (const activity of projection?.pendingActivities ?? []) {
    await add(activity, rebuilding.includes(activity.activityType?.name ?? ''));
  }
  for (const child of projection?.pendingChildren ?? []) {
    const id = child.workflowId ?? '';
    const shard = await describe(client, id);
    const isOfNext = next !== undefined && id.startsWith(`${workflowId}/${next}/`);
    for (const activity of shard?.pendingActivities ?? []) await add(activity, isOfNext);
  }
  return found;
}

async function signsOf(client: Client, activity: PendingActivity): Promise<ShardHeartbeat> {
  const { lastFailure, heartbeatDetails } = activity;
  if (lastFailure?.message && !isHeardOf(activity)) return { waitsFor: lastFailure.message };
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let payloads = heartbeatDetails?.payloads ?? [];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  const [details] = payloads;
  // The heartbeats of the projection's own activities hold something else, without these fields.
  return (details && payloadConverter.fromPayload<ShardHeartbeat | undefined>(details)) ?? {};
}

/** Whether the current attempt has sent a heartbeat. Until then, the last failure is what is known. */
function isHeardOf({ state, lastStartedTime, lastHeartbeatTime }: PendingActivity): boolean {
  if (Number(state) === scheduled || !lastHeartbeatTime) return false;
  return millisecondsOf(lastHeartbeatTime) > millisecondsOf(lastStartedTime);
}

function millisecondsOf(time: PendingActivity['lastStartedTime']): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;
}

/** Undefined when the workflow has just ended. */
async function describe(client: Client, workflowId: string): Promise<Description | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).raw;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
