import { aggregateBuilder } from '../../core/aggregates/aggregate-repository.js';
import type { AggregateRoot } from '../../core/aggregates/aggregate-root.js';
import { deciderBuilder } from '../../core/aggregates/command-handler.js';
import { checkCommand } from '../../core/aggregates/commands.js';
import type { Decider } from '../../core/aggregates/decider.js';
import type { StateBuilder } from '../../core/aggregates/load-state.js';
import type { DomainEvent, EventToAppend } from '../../core/events/event.js';
import type { JsonValue } from '../../core/values/json.js';
import type { AnyAggregate } from './aggregate-registry.js';

/** How the state of an aggregate is built up, decided on and shown: what classes and deciders have in common. */
export interface Behaviour<S> extends StateBuilder<S> {
  show(state: S): JsonValue;
  /**
   * Decides a command, and takes its events into the state.
   *
   * @throws whatever the user's code throws, in a {@link SpoiltStateError} when the state is no longer that of the stream
   */
  decide(
    state: S,
    name: string,
    payload: unknown,
  ): Promise<{ readonly events: readonly EventToAppend[]; readonly state: S }>;
  /** Says that all that was decided is stored. */
  commit(state: S): void;
  /** Whether deciding leaves the state that it was given as it was. */
  readonly isImmutable: boolean;
}

/** Deciding failed after it had changed the state. */
export class SpoiltStateError extends Error {
  constructor(override readonly cause: unknown) {
    super('The state is spoilt.');
  }
}

export function behaviourOf(aggregate: AnyAggregate, id: string): Behaviour<unknown> {
  return typeof aggregate === 'function'
    ? classBehaviour(aggregate, id)
    : deciderBehaviour(aggregate as Decider<unknown, unknown, DomainEvent>);
}

function classBehaviour(
  aggregateClass: Extract<AnyAggregate, abstract new (...args: never[]) => unknown>,
  id: string,
): Behaviour<AggregateRoot> {
  return {
    ...aggregateBuilder(aggregateClass, id),
    isImmutable: false,
    show: (aggregate) => aggregate.toSnapshot(),
    commit: (aggregate) => {
      aggregate.markEventsAsCommitted();
    },
    async decide(aggregate, name, payload) {
      const checked = await checkCommand(aggregateClass, name, payload);
      const before = aggregate.uncommittedEvents.length;
      const methods = aggregate as unknown as Record<string, (payload: unknown) => unknown>;
      try {
        await methods[name]?.(checked);
      } catch (error) {
        throw aggregate.uncommittedEvents.length > before ? new SpoiltStateError(error) : error;
      }
      return { events: aggregate.uncommittedEvents.slice(before), state: aggregate };
    },
  };
}

function deciderBehaviour(decider: Decider<unknown, unknown, DomainEvent>): Behaviour<unknown> {
  return {
    ...deciderBuilder<unknown, DomainEvent>(decider),
    isImmutable: true,
    show: (state) => state as JsonValue,
    commit: () => undefined,
    async decide(state, name, payload) {
      const data = await checkCommand(decider, name, payload);
      const events = await decider.decide(state, { type: name, data });
      return { events, state: events.reduce((next, event) => decider.evolve(next, event), state) };
    },
  };
}
