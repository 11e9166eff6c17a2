import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import {
  assertCommandList,
  checkCommandToSend,
  type CommandArguments,
  type CommandNameOf,
  type CommandPayloadOf,
  type CommandReceipt,
  type CommandTarget,
  type EventTypeOf,
} from '../../core/aggregates/commands.js';
import type { EventMetadata } from '../../core/events/event.js';
import { assertOptions, isName, isPlainObject } from '../../core/store/options.js';
import { streamId } from '../../core/store/stream-id.js';
import type { AggregateActivities } from '../shared/activity-types.js';
import { receiptOf, toLaneCommand, type CommandOutcome } from '../shared/command-lane.js';
import { typed } from '../shared/remote-store.js';
import { nextCommitId } from './commit-id.js';

export interface WorkflowCommandOptions {
  /** Makes the command exactly-once beyond this workflow. Default: one of the workflow's own, which a reset keeps. */
  readonly commandId?: string;
  /** Merged under the metadata of each event. */
  readonly metadata?: EventMetadata;
}

/** Options of the activity; `taskQueue` is that of a worker which knows the aggregate. */
export type ProxyAggregateClientOptions = ActivityOptions;

export interface WorkflowAggregateClient<T extends CommandTarget> {
  /**
   * Executes a command and waits for its outcome.
   *
   * @throws DomainError when a rule says no · CommandFailedError when deciding throws anything else ·
   *   CommitMismatchError · InvalidArgumentError
   */
  execute<Name extends CommandNameOf<T>>(
    id: string,
    name: Name,
    ...args: CommandArguments<CommandPayloadOf<T, Name>, WorkflowCommandOptions>
  ): Promise<CommandReceipt<EventTypeOf<T>>>;
}

/**
 * Sends commands to aggregates from a workflow. Each is an activity, which decides on the worker: rules may change with
 * every deploy, unlike with `proxyRepository`. A retry, a replay or a reset doesn't make a command take effect twice.
 *
 * @param aggregate the class or decider, for its category, its commands and their types; `{ category }` will do, where
 *   the class can't be in the sandbox
 * @param options of the activity; default: `startToCloseTimeout` of 10 seconds, retried until the store answers
 * @example
 * const accounts = proxyAggregateClient(Account);
 * export async function welcome(id: string): Promise<void> {
 *   await accounts.execute(id, 'deposit', { amount: 5 });
 * }
 */
export function proxyAggregateClient<T extends CommandTarget>(
  aggregate: T,
  options: ProxyAggregateClientOptions = {},
): WorkflowAggregateClient<T> {
  const { category } = aggregate;
  streamId(category, 'any');
  assertCommandList(aggregate);
  const { eventStoreExecute } = proxyActivities<AggregateActivities>({
    startToCloseTimeout: '10 seconds',
    ...options,
  });
  return {
    async execute(id, name, ...[payload, commandOptions = {}]) {
      assertOptions('execute', commandOptions, { commandId: isName, metadata: isPlainObject });
      const stream = streamId(category, id);
      await checkCommandToSend(aggregate, name, payload);
      const { commandId = nextCommitId(), metadata } = commandOptions;
      const command = toLaneCommand(id, commandId, name, payload, metadata);
      const [outcome] = await typed(eventStoreExecute({ category, commands: [command] }));
      return receiptOf(stream, commandId, outcome as CommandOutcome);
    },
  };
}
