import {
  assertCommandList,
  isListed,
  type CommandArguments,
  type CommandPayloadOf,
  type CommandTarget,
} from '../aggregates/commands.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { streamId } from '../store/stream-id.js';
import { describeValue } from '../values/describe-value.js';
import { isDecision, placeOf, toCommandTarget, type DecisionTarget } from './decision-target.js';

/** What commands are sent to: an aggregate, or a decision. */
export type CommandRecipient = CommandTarget | DecisionTarget;

/** The id of an aggregate. A decision has none, so that a call with an id doesn't compile. */
export type IdOf<T> = T extends DecisionTarget ? never : string;

/** What a command is sent with: to an aggregate, its id, the name, the payload, and options; a decision has no id. */
export type ExecuteArguments<T, Name extends string, Options> = T extends DecisionTarget
  ? [name: Name, ...more: CommandArguments<CommandPayloadOf<T, Name>, Options>]
  : [id: string, name: Name, ...more: CommandArguments<CommandPayloadOf<T, Name>, Options>];

/** @throws InvalidArgumentError for a malformed category, name or list of commands */
export function checkTarget(target: CommandRecipient): CommandTarget {
  if (isDecision(target)) return toCommandTarget(target);
  streamId(target.category, 'any');
  assertCommandList(target);
  return target;
}

/** The arguments of a call. */
export interface CommandCall<Options> {
  /** The aggregate's; a decision has none. */
  readonly id: string | undefined;
  readonly name: string;
  readonly payload: unknown;
  readonly options: Options | undefined;
}

/** @throws InvalidArgumentError for the arguments of the other kind of target */
export function toCommandCall<Options>(
  target: CommandRecipient,
  args: readonly unknown[],
): CommandCall<Options> {
  const [id, name, payload, options, ...more] = isDecision(target) ? [undefined, ...args] : args;
  if (typeof name !== 'string' || more.length > 0 || (isDecision(target) && hasId(target, name, payload))) {
    const form = isDecision(target)
      ? `the decision '${target.name}' is sent by execute(name, payload, options), without an id`
      : `${target.category} is sent by execute(id, name, payload, options)`;
    throw new InvalidArgumentError(
      `A command of ${form}; got the name ${describeValue(name)} and ${args.length} arguments.`,
    );
  }
  return { id: id as string | undefined, name, payload, options: options as Options | undefined };
}

/** Whether a command of a decision was called as one to an aggregate is. */
function hasId(decision: DecisionTarget, name: string, payload: unknown): boolean {
  if (typeof payload !== 'string') return false;
  const target = toCommandTarget(decision);
  return isListed(target, payload) && !isListed(target, name);
}

/** Where a command goes. */
export interface CommandAddress {
  /** As in a `LaneCommand`. */
  readonly id: string;
  readonly home?: string;
  /** The stream in which it is found again. */
  readonly stream: string;
}

/**
 * @param payload as the command's schema returns it
 * @throws InvalidArgumentError for a malformed id, home stream or filter
 */
export function addressOf(
  target: CommandRecipient,
  { id, name }: Pick<CommandCall<unknown>, 'id' | 'name'>,
  payload: unknown,
): CommandAddress {
  if (!isDecision(target)) return { id: id as string, stream: streamId(target.category, id as string) };
  const { key, home } = placeOf(target, { type: name, data: payload });
  return { id: key, home, stream: home };
}

/** What is said of the state of a decision. */
export function statelessMessage(name: string): string {
  return `'${name}' is a decision: it has no state of its own. Read the streams of its events, or a projection of them.`;
}
