import type {
  CommandArguments,
  CommandNameOf,
  CommandPayloadOf,
  CommandTarget,
} from '../aggregates/commands.js';
import { toCommandCall, type CommandRecipient } from '../decisions/command-call.js';
import { isDecision, type DecisionTarget } from '../decisions/decision-target.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { EventMetadata, RecordedEvent } from '../events/event.js';
import {
  validatedElsewhere,
  assertOptions,
  integerFrom,
  isName,
  isPlainObject,
  type OptionCheck,
} from '../options/options.js';
import { describeValue } from '../values/describe-value.js';

/** A consequence of an event: a workflow to start, or a command to send. */
export type Consequence =
  { readonly startWorkflow: WorkflowToStart } | { readonly sendCommand: CommandToSend };

/** One consequence, several in order, or none. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a function that returns nothing may say so
export type Consequences = Consequence | readonly Consequence[] | undefined | void;

/** Anything that Temporal takes as a workflow. */
export type WorkflowFunction = (...args: never[]) => Promise<unknown>;

export interface WorkflowToStart {
  readonly workflowType: string;
  /** Default: none. */
  readonly args?: readonly unknown[];
  /** Default: that of the worker on which the reaction runs. */
  readonly taskQueue?: string;
  /**
   * Default: derived from the reaction, the event and the place among its consequences, so it is unique across stores.
   * If you give one, any workflow that has this id, whatever started it, counts as started.
   */
  readonly workflowId?: string;
}

/** Options of a workflow to start; without the function's type, any arguments are allowed. */
export type StartWorkflowOptions<W extends WorkflowFunction> = Pick<
  WorkflowToStart,
  'taskQueue' | 'workflowId'
> &
  (never[] extends Parameters<W>
    ? { readonly args?: readonly unknown[] }
    : Parameters<W> extends []
      ? { readonly args?: readonly [] }
      : { readonly args: Readonly<Parameters<W>> });

export interface CommandToSend {
  /** The class or decider, or just its category; or a decision. */
  readonly aggregate: CommandRecipient;
  /** The aggregate's id, without its category. A decision has none. */
  readonly id?: string;
  /** The command's name. */
  readonly name: string;
  readonly payload?: unknown;
  /** The task queue of a worker that knows the aggregate. Default: that of the worker on which the reaction runs. */
  readonly taskQueue?: string;
  /** The same as in all clients that send commands to the category. Default 1. */
  readonly lanes?: 'per-aggregate' | number;
  /**
   * Metadata of the command's events. Their `causationId` is always the event. Default: the event's `correlationId`.
   */
  readonly metadata?: EventMetadata;
}

/** Where a consequence comes from. Its id derives from this, so it happens once. */
export interface ConsequenceOrigin {
  readonly reaction: string;
  readonly event: RecordedEvent;
  /** Place among the consequences of the event, such as `0`; after a rejected command `0/rejected/0`. */
  readonly place: string;
  /** How many reactions led to it, one after the other, this one included. */
  readonly depth: number;
}

/** Carries consequences out. The worker provides it. */
export interface ReactionPort {
  /** Resolves even if the workflow was started before. */
  startWorkflow(workflow: WorkflowToStart, origin: ConsequenceOrigin): Promise<void>;
  /** @throws DomainError when a rule says no */
  sendCommand(command: CommandToSend, origin: ConsequenceOrigin): Promise<void>;
}

/**
 * Makes a workflow a consequence of an event, for {@link defineReaction}.
 *
 * @param workflow the function, or its name: `startWorkflow<typeof refund>('refund', …)` needs no import of its code
 * @throws InvalidArgumentError for a function without a name
 */
export function startWorkflow<W extends WorkflowFunction = WorkflowFunction>(
  workflow: W | string,
  options: StartWorkflowOptions<W>,
): Consequence {
  const workflowType = typeof workflow === 'string' ? workflow : workflow.name;
  return checkConsequence({ startWorkflow: { workflowType, ...options } });
}

/** Options of a command that a reaction sends. */
export type SendCommandOptions = Pick<CommandToSend, 'taskQueue' | 'lanes' | 'metadata'>;

/**
 * Makes a command a consequence of an event, for {@link defineReaction}: `sendCommand(aggregate, id, name, payload, options)`, or
 * `sendCommand(decision, name, payload, options)`.
 *
 * @throws InvalidArgumentError
 */
export function sendCommand<T extends DecisionTarget, Name extends CommandNameOf<T>>(
  decision: T,
  name: Name,
  ...args: CommandArguments<CommandPayloadOf<T, Name>, SendCommandOptions>
): Consequence;
export function sendCommand<T extends CommandTarget, Name extends CommandNameOf<T>>(
  aggregate: T,
  id: string,
  name: Name,
  ...args: CommandArguments<CommandPayloadOf<T, Name>, SendCommandOptions>
): Consequence;
export function sendCommand(aggregate: CommandRecipient, ...args: readonly unknown[]): Consequence {
  const { id, name, payload, options } = toCommandCall<SendCommandOptions>(aggregate, args);
  return checkConsequence({
    sendCommand: { aggregate, ...(!isDecision(aggregate) && { id }), name, payload, ...options },
  });
}

/** @throws InvalidArgumentError when it is neither of the two, or malformed */
export function checkConsequence(consequence: unknown): Consequence {
  const kinds = isPlainObject(consequence) === undefined ? Object.keys(consequence as object) : [];
  const [kind] = kinds;
  if (kinds.length !== 1 || (kind !== 'startWorkflow' && kind !== 'sendCommand')) {
    throw new InvalidArgumentError(
      `What follows from an event is { startWorkflow } or { sendCommand }, one of them or a list; got ${describeValue(consequence)}${kinds.length === 0 ? '' : ` with ${kinds.join(', ')}`}.`,
    );
  }
  const valid = consequence as Consequence;
  if ('startWorkflow' in valid) {
    assertOptions(
      'startWorkflow',
      valid.startWorkflow,
      { workflowType: isName, args: isList, taskQueue: isName, workflowId: isName },
      ['workflowType'],
    );
  } else {
    const isAggregate = !isDecision((valid.sendCommand as Partial<CommandToSend> | null)?.aggregate);
    assertOptions(
      'sendCommand',
      valid.sendCommand,
      {
        aggregate: isTarget,
        ...(isAggregate && { id: isName }),
        name: isName,
        payload: validatedElsewhere,
        taskQueue: isName,
        lanes: isLanes,
        metadata: isPlainObject,
      },
      ['aggregate', ...(isAggregate ? ['id'] : []), 'name'],
    );
  }
  return valid;
}

const isList: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'a list');
const isTarget: OptionCheck = (value) =>
  isDecision(value) || typeof (value as Partial<CommandTarget> | null)?.category === 'string'
    ? undefined
    : 'an aggregate class, a decider, a decision or { category }';
const isLanes: OptionCheck = (value) =>
  value === 'per-aggregate' || integerFrom(1)(value) === undefined
    ? undefined
    : `'per-aggregate' or an integer from 1`;
