import type { CommandList } from '../aggregates/command-list.js';
import { assertCommandList, type CommandTarget } from '../aggregates/commands.js';
import type { DomainCommand } from '../aggregates/decider.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { uuidV5 } from '../events/event-id.js';
import { checkConditionFilter } from '../store/append/append-condition.js';
import type { EventFilter } from '../store/event-store.js';
import { assertStreamId, isCategory } from '../store/stream-id.js';
import { describeError } from '../values/describe-error.js';
import { describeValue } from '../values/describe-value.js';
import { canonicalJson } from '../values/json.js';

/** A decision as the target of commands: made by `defineDecision`, or an object with these fields of it. */
export interface DecisionTarget {
  readonly name: string;
  readonly commands?: CommandList;
  home(command: DomainCommand): string;
  filter(command: DomainCommand): EventFilter | readonly EventFilter[];
}

/** Whether it is a decision, among whatever else commands are sent to. */
export function isDecision<T>(target: T): target is Extract<T, DecisionTarget> {
  return (
    typeof target === 'object' &&
    target !== null &&
    typeof (target as Partial<DecisionTarget>).home === 'function'
  );
}

/**
 * Checks a decision whose commands are sent by lanes.
 *
 * @returns it as other targets of commands are
 * @throws InvalidArgumentError for a name that can't be told from a category, or a malformed list of commands
 */
export function toCommandTarget({ name, commands }: DecisionTarget): CommandTarget {
  if (!isCategory(name)) {
    throw new InvalidArgumentError(
      `A decision whose commands are sent has a name of letters, digits and '_', as a category; got ${describeValue(name)}.`,
    );
  }
  const target = { category: name, ...(commands && { commands }) };
  assertCommandList(target);
  return target;
}

/** Where a command of a decision goes. */
export interface DecisionPlace {
  /** Commands with the same key depend on the same events, and are decided one after the other. */
  readonly key: string;
  /** The stream in which it is found again. */
  readonly home: string;
}

/** @throws InvalidArgumentError for a malformed home stream or filter, or when one of these functions throws */
export function placeOf(decision: DecisionTarget, command: DomainCommand): DecisionPlace {
  const home = called(decision, 'home', command);
  assertStreamId(home);
  const filter = called(decision, 'filter', command);
  return { home, key: keyOf(checkConditionFilter(filter, `the decision '${decision.name}'`)) };
}

/** An untyped error would hold a workflow up for good. */
function called<Name extends 'home' | 'filter'>(
  decision: DecisionTarget,
  name: Name,
  command: DomainCommand,
): ReturnType<DecisionTarget[Name]> {
  try {
    return decision[name](command) as ReturnType<DecisionTarget[Name]>;
  } catch (error) {
    throw new InvalidArgumentError(
      `'${name}' of the decision '${decision.name}' failed with ${describeError(error)}. The command was not sent.`,
      { cause: error },
    );
  }
}

function keyOf(filter: readonly EventFilter[]): string {
  const tag = filter.flatMap(({ tags }) => tags?.[0] ?? [])[0];
  return tag ?? uuidV5(canonicalJson(filter));
}
