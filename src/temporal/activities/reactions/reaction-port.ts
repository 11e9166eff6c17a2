import { Context } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { CommandRecipient } from '../../../core/decisions/command-call.js';
import { isDecision } from '../../../core/decisions/decision-target.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { RetryLaterError } from '../../../core/errors/retry-later-error.js';
import type { ConsequenceOrigin, CommandToSend, ReactionPort } from '../../../core/reactions/consequences.js';
import { depthKey } from '../../../core/reactions/reaction-depth.js';
import { AggregateClient } from '../../client/aggregate-client.js';
import { isRetryableCallError } from '../../client/send-commands.js';
import { workflowIdOf } from '../../shared/workflow-id.js';
import type { ReactionWarnings } from './reaction-warnings.js';

/** Acts through the client of the activity's worker; ids derive from the event, so that nothing happens twice. */
export function reactionPort(warnings: ReactionWarnings): ReactionPort {
  /** The senders of each client, by their options, so that commands of several shards travel together. */
  const senders = new WeakMap<Client, Map<string, AggregateClient<CommandRecipient>>>();
  const senderOf = ({ aggregate, taskQueue, lanes }: CommandToSend): AggregateClient<CommandRecipient> => {
    const { client, info } = Context.current();
    const options = {
      taskQueue: taskQueue ?? info.taskQueue,
      ...(lanes !== undefined && { lanes }),
    };
    // The worker that decides has the rest of an aggregate's definition. That of a decision says where a command goes.
    const target = isDecision(aggregate) ? aggregate : { category: aggregate.category };
    const key = JSON.stringify([isDecision(target) ? { decision: target.name } : target, options]);
    const ofClient = senders.get(client) ?? new Map<string, AggregateClient<CommandRecipient>>();
    const sender = ofClient.get(key) ?? new AggregateClient({ client, aggregate: target, ...options });
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
          // Refused even after the workflow has ended.
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
      const { aggregate, id = '', name, payload, metadata } = command;
      const { event } = origin;
      const { correlationId } = event.metadata;
      const options = {
        commandId: reactionId(origin),
        causationId: event.id,
        metadata: {
          ...(correlationId !== undefined && { correlationId }),
          ...metadata,
          // A reaction can't override this.
          [depthKey]: origin.depth,
        },
        signal: Context.current().cancellationSignal,
      };
      warnings.note(origin);
      try {
        const sender = senderOf(command);
        await (isDecision(aggregate)
          ? sender.execute(name, payload, options)
          : sender.execute(id, name, payload, options));
      } catch (error) {
        const code = findEventStoreError(error)?.code;
        if (code !== 'COMMAND_OUTCOME_UNKNOWN') throw error;
        throw new RetryLaterError((error as Error).message, { cause: error });
      }
    },
  };
}

/** Temporal's message is in the cause of the SDK's error. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

/**
 * The id of a workflow or a command: `event-store/reaction/<reaction>/<event id>/<place>`. Event ids are unique
 * across stores.
 */
function reactionId({ reaction, event, place }: ConsequenceOrigin): string {
  return workflowIdOf('reaction', reaction, event.id, ...place.split('/'));
}
