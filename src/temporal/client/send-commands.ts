import {
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import {
  laneSuspectSignal,
  laneUpdateName,
  laneWorkflowType,
  type CommandLaneInput,
  type LaneCommand,
  type LaneReply,
  type LaneUpdateOptions,
} from '../shared/command-lane.js';

/** Milliseconds after which an update without an answer is sent again; commands that were stored are found by their ids. */
const attemptTimeout = 20_000;

/**
 * Milliseconds without an answer after which the lane is told that one of the commands may hold its worker up. A lane
 * answers within 1 or 2 seconds; after 10, the server gives its task, with this signal, to another worker.
 */
const suspectAfter = 7_000;

/** gRPC statuses that another attempt would get, too: malformed, forbidden, unknown to the server, not authenticated. */
const finalStatuses: readonly unknown[] = [3, 7, 12, 16];
const resourceExhausted: unknown = 8;

export interface LaneAddress {
  readonly client: Client;
  readonly taskQueue: string;
  readonly input: CommandLaneInput;
}

/** Sends commands to a lane in one update, and starts the lane if it isn't running. */
export async function sendCommands(
  { client, taskQueue, input }: LaneAddress,
  workflowId: string,
  commands: readonly LaneCommand[],
  options: LaneUpdateOptions,
  signal: AbortSignal,
): Promise<LaneReply> {
  // A new one for each attempt, since it can be used only once.
  const startWorkflowOperation = new WithStartWorkflowOperation(laneWorkflowType, {
    workflowId,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // Longer than it takes to notice a worker's death: at 2 s a lane never recovered from kills.
    workflowTaskTimeout: '10 seconds',
  });
  // The update's own failure is thrown instead.
  startWorkflowOperation.workflowHandle().catch(() => undefined);
  const ids = [...new Set(commands.map(({ id }) => id))];
  const suspicion = setTimeout(() => void suspect(client, workflowId, ids), suspectAfter);
  const answer = client.withAbortSignal(signal, () =>
    client.withDeadline(Date.now() + attemptTimeout, () =>
      client.workflow.executeUpdateWithStart<
        (input: CommandLaneInput) => Promise<void>,
        LaneReply,
        [readonly LaneCommand[], ...LaneUpdateOptions[]]
      >(laneUpdateName, {
        args: options.isPatient ? [commands, options] : [commands],
        startWorkflowOperation,
      }),
    ),
  );
  return answer.finally(() => {
    clearTimeout(suspicion);
  });
}

/** Tells a lane whose aggregates' commands have waited long. The commands don't depend on it. */
async function suspect(client: Client, workflowId: string, ids: readonly string[]): Promise<void> {
  try {
    await client.withDeadline(Date.now() + attemptTimeout, () =>
      client.workflow.getHandle(workflowId).signal(laneSuspectSignal, ids),
    );
  } catch {
    // The server can't be reached, or the lane has not begun; the next attempt will show which.
  }
}

/**
 * Whether an update never reached its lane, which had as many under way as the server takes. Above that number, the
 * server also takes some that the worker never sees.
 */
export function isCrowded(error: unknown): boolean {
  if (error instanceof WorkflowUpdateFailedError) {
    return error.cause instanceof ApplicationFailure && error.cause.type === 'UnprocessedUpdate';
  }
  const status = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(status) && status.code === resourceExhausted;
}

/**
 * Whether a failure says nothing about the commands, so that they are sent again under the same ids: the server or
 * the network was down, no worker took the update, or the lane was completing or continuing as new.
 */
export function isRetryableCallError(error: unknown): boolean {
  if (error instanceof WorkflowUpdateFailedError) return findEventStoreError(error) === undefined;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof WorkflowNotFoundError) {
    return true;
  }
  const status = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(status)) return !finalStatuses.includes(status.code);
  return error instanceof ServiceError;
}
