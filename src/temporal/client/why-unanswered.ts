import type { Client } from '@temporalio/client';
import { withinTime } from './within-time.js';

/** Milliseconds for finding the reason; the caller has waited already. */
const longestLook = 1_000;
/** Most workflows looked at at a time, when many callers wait in vain at once. */
const maxLooks = 5;
/** Number of last history events, among which a failed task must be. */
const lastEvents = 20;

/** Look-ups under way, by task queue or workflow, so that many callers that wait in vain ask once. */
const underWay = new WeakMap<Client, Map<string, Promise<unknown>>>();
let looks = 0;

/** A workflow that gave no answer. */
export interface Unanswered {
  readonly client: Client;
  readonly taskQueue: string;
  readonly workflowId: string;
  /** Milliseconds for finding the reason. Default 1,000. */
  readonly limit?: number;
}

/** Says what keeps a workflow from answering, as far as the server knows, and what to do about it. Never rejects. */
export async function whyUnanswered({
  client,
  taskQueue,
  workflowId,
  limit = longestLook,
}: Unanswered): Promise<string> {
  try {
    return await withinTime(client, { timeout: limit }, () =>
      // A deadline of its own: the caller's has passed.
      client.withDeadline(Date.now() + limit, async () => {
        const isPolled = await together(client, `queue ${taskQueue}`, () => hasPoller(client, taskQueue));
        if (!isPolled) {
          return `No worker polls the task queue '${taskQueue}'. Start one with EventStorePlugin, or correct the name.`;
        }
        const fault = await together(client, `workflow ${workflowId}`, () => look(client, workflowId));
        return (
          fault ??
          `A worker polls the task queue '${taskQueue}', or did so in the last minutes, but gave no answer: it may be busy, or gone.`
        );
      }),
    );
  } catch {
    return 'The Temporal server gives no answer. Is it up, and are its address and the namespace right?';
  }
}

async function together<T>(client: Client, key: string, find: () => Promise<T>): Promise<T> {
  const ofClient = underWay.get(client) ?? new Map<string, Promise<unknown>>();
  underWay.set(client, ofClient);
  const other = ofClient.get(key);
  if (other !== undefined) return other as Promise<T>;
  const finding = find().finally(() => ofClient.delete(key));
  ofClient.set(key, finding);
  return finding;
}

/** Whether a worker has asked for a workflow task in the last minutes. The server judges by its own clock. */
async function hasPoller(client: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- TASK_QUEUE_TYPE_WORKFLOW, of a package that isn't ours to import
    taskQueueType: 1,
  });
  return (pollers ?? []).length > 0;
}

/** Why a workflow's workers fail; undefined if they don't, or if it can't be found out. */
async function look(client: Client, workflowId: string): Promise<string | undefined> {
  if (looks >= maxLooks) return undefined;
  looks++;
  try {
    return (await failedTask(client, workflowId)) ?? (await failedActivity(client, workflowId));
  } catch {
    return undefined;
  } finally {
    looks--;
  }
}

async function failedTask(client: Client, workflowId: string): Promise<string | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: lastEvents,
  });
  for (const {
    workflowTaskFailedEventAttributes: failed,
    workflowTaskCompletedEventAttributes: done,
  } of history?.events ?? []) {
    // Earlier failures have been overcome.
    if (done) return undefined;
    const message = failed?.failure?.message;
    if (!message) continue;
    return message.includes('no such function is exported by the workflow bundle')
      ? `A worker that took it doesn't have the library's workflows. Add to the module of its workflows: ` +
          `export * from 'temporal-event-store/workflows'. (${message})`
      : `A worker fails in its workflow: ${message}`;
  }
  return undefined;
}

async function failedActivity(client: Client, workflowId: string): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? []) {
    if (!lastFailure?.message) continue;
    return `The activity '${String(activityType?.name)}' failed ${Number(attempt) - 1} times, at last of: ${lastFailure.message}`;
  }
  return undefined;
}
