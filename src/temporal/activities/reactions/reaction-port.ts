import { Context } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { CommandTarget } from '../../../core/aggregates/commands.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { RetryLaterError } from '../../../core/errors/retry-later-error.js';
import type { ConsequenceOrigin, CommandToSend, ReactionPort } from '../../../core/reactions/consequences.js';
import { depthKey } from '../../../core/reactions/reaction-depth.js';
import { AggregateClient } from '../../client/aggregate-client.js';
import { isRetryableCallError } from '../../client/send-commands.js';
import { workflowIdOf } from '../../shared/workflow-id.js';
import type { ReactionWarnings } from './reaction-warnings.js';

/** Acts by the client of the activity's worker; ids derive from the event, so that nothing happens twice. */
export function reactionPort(warnings: ReactionWarnings): ReactionPort {
  /** The senders of each client, by their options: the commands of several shards travel together. */
  const senders = new WeakMap<Client, Map<string, AggregateClient<CommandTarget>>>();
  const senderOf = ({ aggregate, taskQueue, lanes }: CommandToSend): AggregateClient<CommandTarget> => {
    const { client, info } = Context.current();
    const options = {
      // The rest of it is on the worker that decides.
      aggregate: { category: aggregate.category },
      taskQueue: taskQueue ?? info.taskQueue,
      ...(lanes !== undefined && { lanes }),
    };
    const key = JSON.stringify(options);
    const ofClient = senders.get(client) ?? new Map<string, AggregateClient<CommandTarget>>();
    const sender = ofClient.get(key) ?? new AggregateClient({ client, ...options });
    senders.set(client, ofClient.set(key, sender));
    return sender;
  };
  return {
    async startWorkflow({ workflowType, args = [], taskQueue, workflowId }, origin) {
      const { client, info } = Context.current();
      try {
        await client.workflow.start(workflowType, {
          workflowId: workflowId ?? reactionId(origin),
          taskQueue: taskQueue ?? info.taskQueue,
          args: [...args],
          // Also when it has ended.
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
        });
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return;
        const reason = reasonOf(error);
        if (!isRetryableCallError(error)) {
          throw new Error(`Temporal refuses to start the workflow '${workflowType}': ${reason}`, {
            cause: error,
          });
        }
        throw new RetryLaterError(`The workflow '${workflowType}' could not be started just now: ${reason}`, {
          cause: error,
        });
      }
    },

    async sendCommand(command, origin) {
      const { id, name, payload, metadata } = command;
      const { event } = origin;
      const { correlationId } = event.metadata;
      const options = {
        commandId: reactionId(origin),
        causationId: event.id,
        metadata: {
          ...(correlationId !== undefined && { correlationId }),
          ...metadata,
          // Not theirs to say.
          [depthKey]: origin.depth,
        },
        signal: Context.current().cancellationSignal,
      };
      warnings.note(origin);
      try {
        await senderOf(command).execute(id, name, payload, options);
      } catch (error) {
        const code = findEventStoreError(error)?.code;
        if (code !== 'COMMAND_OUTCOME_UNKNOWN') throw error;
        throw new RetryLaterError((error as Error).message, { cause: error });
      }
    },
  };
}

/** The SDK's error says what was done; its cause, what Temporal said. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

/** `event-store/reaction/<reaction>/<event id>/<place>`: of the workflow, or of the command. No other store has the event's id. */
function reactionId({ reaction, event, place }: ConsequenceOrigin): string {
  return workflowIdOf('reaction', reaction, event.id, ...place.split('/'));
}
