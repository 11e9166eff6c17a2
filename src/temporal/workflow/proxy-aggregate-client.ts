import {
  ActivityFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import {
  checkCommandToSend,
  type CommandNameOf,
  type CommandReceipt,
  type EventTypeOf,
} from '../../core/aggregates/commands.js';
import {
  addressOf,
  checkTarget,
  toCommandCall,
  type ExecuteArguments,
  type CommandRecipient,
} from '../../core/decisions/command-call.js';
import { CommandOutcomeUnknownError } from '../../core/errors/command-errors.js';
import { findEventStoreError, isRetryable } from '../../core/errors/error-recognition.js';
import type { EventMetadata } from '../../core/events/event.js';
import { assertOptions, isName, isPlainObject } from '../../core/options/options.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import { receiptOf, toLaneCommand, type CommandOutcome, type LaneCommand } from '../shared/command-lane.js';
import { commandSummary } from '../shared/command-summary.js';
import { nextCommitId } from './commit-id.js';
import { untilKnown } from './until-known.js';

export interface WorkflowCommandOptions {
  /** Makes the command exactly-once beyond this workflow. Default: an id made by the workflow, which a reset keeps. */
  readonly commandId?: string;
  /** Merged under the metadata of each event. */
  readonly metadata?: EventMetadata;
}

/** Options of the activity; `taskQueue` must have a worker that knows the aggregate. */
export type ProxyAggregateClientOptions = ActivityOptions;

export interface WorkflowAggregateClient<T extends CommandRecipient> {
  /**
   * Executes a command and waits for its outcome: `execute(id, name, payload, options)` to an aggregate,
   * `execute(name, payload, options)` to a decision.
   *
   * @throws DomainError when a rule says no · CommandFailedError when deciding throws anything else ·
   *   CommitMismatchError · InvalidArgumentError
   * @throws CommandOutcomeUnknownError when the activity's time or attempts are used up: the command may have taken effect; ask again
   *   with its `commandId`
   */
  execute<Name extends CommandNameOf<T>>(
    ...args: ExecuteArguments<T, Name, WorkflowCommandOptions>
  ): Promise<CommandReceipt<EventTypeOf<T>>>;
}

/** A day outlasts a database that is down for a night, so that no workflow fails because of it; and none waits for ever. */
const defaultOptions: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 day',
  // An eagerly dispatched retry would reach the worker that has just given the command back.
  allowEagerDispatch: false,
};

/**
 * Sends commands to aggregates, or those of a decision, from a workflow. Each is an activity, which decides on the worker: unlike with
 * `proxyRepository`, rules may change with every deploy. A retry, a replay or a reset doesn't make a command take
 * effect twice.
 *
 * @param aggregate the class or decider, for its category, its commands and their types; or `{ category }`, if the
 *   class can't be loaded in the sandbox; or a decision
 * @param options of the activity; default: `startToCloseTimeout` of 10 seconds, retried until the store answers, for a day at
 *   most (`scheduleToCloseTimeout`), and a `summary` such as `Account/7 deposit`
 * @example
 * const accounts = proxyAggregateClient(Account);
 * export async function welcome(id: string): Promise<void> {
 *   await accounts.execute(id, 'deposit', { amount: 5 });
 * }
 */
export function proxyAggregateClient<T extends CommandRecipient>(
  aggregate: T,
  options: ProxyAggregateClientOptions = {},
): WorkflowAggregateClient<T> {
  const target = checkTarget(aggregate);
  const { category } = target;
  const { eventStoreExecute } = proxyActivities<AggregateActivities>({ ...defaultOptions, ...options });
  return {
    async execute(...args) {
      const call = toCommandCall<WorkflowCommandOptions>(aggregate, args);
      const { name, payload, options: commandOptions = {} } = call;
      assertOptions('execute', commandOptions, { commandId: isName, metadata: isPlainObject });
      const address = addressOf(aggregate, call, await checkCommandToSend(target, name, payload));
      const { commandId = nextCommitId(), metadata } = commandOptions;
      const command = toLaneCommand(address, commandId, name, payload, metadata);
      const { id, home = id, stream } = address;
      const summary = options.summary ?? commandSummary(category, home, name);
      const execute = (givesBack: boolean): Promise<readonly CommandOutcome[]> =>
        eventStoreExecute
          .executeWithOptions({ summary }, [{ category, commands: [command], givesBack }])
          .catch((error: unknown) => {
            throw toCommandError(stream, command, options.taskQueue ?? workflowInfo().taskQueue, error);
          });
      const [outcome] = await untilKnown(execute, ([first]) => first?.kind === 'open');
      return receiptOf(outcome as CommandOutcome);
    },
  };
}

/** Turns a failed activity into the library's own error; or into CommandOutcomeUnknownError, when its time is used up. */
function toCommandError(
  stream: string,
  { commandId, name }: LaneCommand,
  taskQueue: string,
  error: unknown,
): unknown {
  const ours = findEventStoreError(error);
  if (ours !== undefined && !isRetryable(ours)) return ours;
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return error;
  const { cause } = error;
  const last = ours ?? (cause instanceof TimeoutFailure ? (cause.cause ?? cause) : cause);
  return new CommandOutcomeUnknownError(
    `No outcome of the command '${name}' to '${stream}' within the limits of its activity. It may have taken effect; ask again ` +
      `with the command id '${commandId}'. ` +
      (last === undefined || last instanceof TimeoutFailure
        ? `Does a worker that knows the aggregate poll the task queue '${taskQueue}'?`
        : `The worker last said: ${last.message}`),
    { commandId, cause: error },
  );
}
