import type { AggregateClass } from '../../../core/aggregates/aggregate-root.js';
import { isListed, unlisted, type CommandTarget } from '../../../core/aggregates/commands.js';
import type { Decider } from '../../../core/aggregates/decider.js';
import { checkTarget } from '../../../core/decisions/command-call.js';
import { isDecision } from '../../../core/decisions/decision-target.js';
import type { Decision } from '../../../core/decisions/decision.js';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { LaneCommand } from '../../shared/command-lane.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- a registry holds deciders and decisions of every state and command */
/** A class that extends `AggregateRoot`, or a decider. */
export type AnyAggregate = AggregateClass | Decider<any, any, any, any>;

/** Made by `defineDecision`. */
export type AnyDecision = Decision<any, any, any, any>;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** What a worker knows by one name. */
export type Registered =
  | { readonly kind: 'aggregate'; readonly aggregate: AnyAggregate; readonly target: CommandTarget }
  | { readonly kind: 'decision'; readonly decision: AnyDecision; readonly target: CommandTarget };

/** The aggregates that a worker knows, by category, and the decisions, by name. */
export class AggregateRegistry {
  readonly #byName = new Map<string, Registered>();

  /** @throws InvalidArgumentError when two have the same category or name, or a listed command doesn't exist */
  constructor(definitions: readonly (AnyAggregate | AnyDecision)[]) {
    for (const definition of definitions) {
      const registered = register(definition);
      const { category } = registered.target;
      const other = this.#byName.get(category);
      if (other !== undefined && definitionOf(other) !== definition) {
        throw new InvalidArgumentError(
          other.kind === registered.kind
            ? `Two ${registered.kind}s have the ${registered.kind === 'decision' ? 'name' : 'category'} '${category}'.`
            : `An aggregate and a decision are both named '${category}'. Their commands couldn't be told apart.`,
        );
      }
      this.#byName.set(category, registered);
    }
  }

  find(name: string): Registered | undefined {
    return this.#byName.get(name);
  }

  /** What the worker knows, by name. */
  get known(): ReadonlyMap<string, AnyAggregate | AnyDecision> {
    return new Map(Array.from(this.#byName, ([name, registered]) => [name, definitionOf(registered)]));
  }

  /** The error for a category without an aggregate, or a name without a decision. */
  unknown(category: string, kind: Registered['kind'] = 'aggregate'): InvalidArgumentError {
    const known = [...this.#byName.keys()].join(', ') || 'none';
    return new InvalidArgumentError(
      `The ${kind} '${category}' is not registered on this worker; registered: ${known}. ` +
        `Add it to createAggregateActivities, or to the plugin's aggregates.`,
    );
  }
}

function register(definition: AnyAggregate | AnyDecision): Registered {
  const target = checkTarget(definition);
  return isDecision(definition)
    ? { kind: 'decision', decision: definition, target }
    : { kind: 'aggregate', aggregate: definition, target };
}

function definitionOf(registered: Registered): AnyAggregate | AnyDecision {
  return registered.kind === 'decision' ? registered.decision : registered.aggregate;
}

/** The error for a command that is not listed, or was sent as if the aggregate were a decision, or a decision an aggregate. */
export function findUnknown(
  { kind, target }: Registered,
  { name, home }: LaneCommand,
): InvalidArgumentError | undefined {
  const { category } = target;
  if (kind === 'decision' && home === undefined) {
    return new InvalidArgumentError(
      `'${category}' is a decision on this worker, and the command '${name}' was sent as to an aggregate. Give the decision to AggregateClient or proxyAggregateClient.`,
    );
  }
  if (kind === 'aggregate' && home !== undefined) {
    return new InvalidArgumentError(
      `'${category}' is an aggregate on this worker, and the command '${name}' was sent as to a decision.`,
    );
  }
  return isListed(target, name) ? undefined : unlisted(target, name);
}
