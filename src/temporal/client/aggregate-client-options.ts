import type { Client } from '@temporalio/client';
import type { CommandTarget } from '../../core/aggregates/commands.js';
import { checkTarget, type CommandRecipient } from '../../core/decisions/command-call.js';
import type { EventMetadata } from '../../core/events/event.js';
import {
  assertOptions,
  integerFrom,
  isName,
  isPlainObject,
  isSignal,
  type OptionCheck,
} from '../../core/options/options.js';
import { findJsonFault } from '../../core/values/json.js';
import { maxCommandsPerUpdate } from '../shared/command-lane.js';

export interface AggregateClientOptions<T extends CommandRecipient = CommandRecipient> {
  readonly client: Client;
  /** The class or decider, for its category, its commands and their types, or just `{ category }`; or a decision. */
  readonly aggregate: T;
  /** The task queue of a worker that knows the aggregate, such as one with `EventStorePlugin({ store, aggregates })`. */
  readonly taskQueue: string;
  /**
   * Number of lanes over which the aggregates of the category are spread; or `per-aggregate`, a lane for each. Commands
   * of a decision are spread by the first tag of their filter, in place of an aggregate.
   * Default 1: the fewer lanes, the more commands travel together. If the workers are the bottleneck, more lanes let
   * more of them work. All senders should use the same number; changing it loses and repeats nothing.
   */
  readonly lanes?: 'per-aggregate' | number;
  /** Most commands in one update, 1 to 500. Default 256. */
  readonly maxBatch?: number;
  /** Most commands that wait or are under way; one more is refused with STORE_OVERLOADED. Default 10,000. */
  readonly maxPending?: number;
}

export interface CommandOptions {
  /** Makes the command exactly-once: sent again under this id, by any client, it takes no effect again. Default: random. */
  readonly commandId?: string;
  /** Metadata of each event, beside what the library adds: `causationId`, `commandHash`, and the `workflowId` and `runId` of the lane. */
  readonly metadata?: EventMetadata;
  /** Id of the cause, such as an event; goes into the metadata of each of the command's events. Default: the command's id. */
  readonly causationId?: string;
  /** Milliseconds to wait for the outcome. Default 30,000. */
  readonly timeout?: number;
  /** Ends the wait. A command that was sent may still take effect. */
  readonly signal?: AbortSignal;
}

/** Checks the options and adds their defaults. @throws InvalidArgumentError for a missing, unknown or malformed one */
export function checkClientOptions<T extends CommandRecipient>(
  options: AggregateClientOptions<T>,
): Required<AggregateClientOptions<T>> & { readonly target: CommandTarget } {
  assertOptions(
    'AggregateClient',
    options,
    {
      client: isPlainObject,
      aggregate: isTarget,
      taskQueue: isName,
      lanes: isLanes,
      maxBatch: isBatchSize,
      maxPending: integerFrom(1),
    },
    ['client', 'aggregate', 'taskQueue'],
  );
  const { client, aggregate, taskQueue } = options;
  return {
    client,
    aggregate,
    target: checkTarget(aggregate),
    taskQueue,
    lanes: options.lanes ?? 1,
    maxBatch: options.maxBatch ?? 256,
    maxPending: options.maxPending ?? 10_000,
  };
}

/** @throws InvalidArgumentError */
export function checkCommandOptions(options: CommandOptions): void {
  assertOptions('execute', options, {
    commandId: isName,
    metadata: isMetadata,
    causationId: isName,
    timeout: integerFrom(1),
    signal: isSignal,
  });
}

const isTarget: OptionCheck = (value) =>
  typeof value === 'function' || isPlainObject(value) === undefined
    ? undefined
    : 'an aggregate class, a decider, a decision or { category }';
const isLanes: OptionCheck = (value) =>
  value === 'per-aggregate' || integerFrom(1)(value) === undefined
    ? undefined
    : `'per-aggregate' or an integer from 1`;
const isBatchSize: OptionCheck = (value) =>
  integerFrom(1)(value) === undefined && (value as number) <= maxCommandsPerUpdate
    ? undefined
    : `an integer from 1 to ${maxCommandsPerUpdate}`;
const isMetadata: OptionCheck = (value) =>
  isPlainObject(value) ?? (findJsonFault(value) === undefined ? undefined : 'plain JSON');
