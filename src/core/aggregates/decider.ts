import type { DomainEvent, EventToAppend } from '../events/event.js';
import type { CommandList } from './command-list.js';

/** What a decider decides, unless it has commands of its own form. */
export interface DomainCommand<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * An aggregate as three functions: where it begins, how an event changes it, and what a command leads to. (After Jérémie
 * Chassaing, "Functional Event Sourcing Decider", 2021.)
 *
 * @example
 * const account: Decider<{ balance: number }, Deposit, Deposited> = {
 *   category: 'Account',
 *   initialState: () => ({ balance: 0 }),
 *   evolve: (state, event) => ({ balance: state.balance + event.data.amount }),
 *   decide: (state, command) => [{ type: 'Deposited', data: { amount: command.data.amount } }],
 * };
 */
export interface Decider<State, Command, E extends DomainEvent> {
  /** First part of the ids of its streams. */
  readonly category: string;
  /** Version of the shape of the state in snapshots; raise it when that changes. Default 1. */
  readonly snapshotVersion?: number;
  /** The types of its commands, for those who send them from outside. Default: none. */
  readonly commands?: CommandList;
  initialState(): State;
  evolve(state: State, event: E): State;
  /** Returns the events to append, none when nothing changes, or throws a `DomainError`. */
  decide(state: State, command: Command): readonly EventToAppend<E>[] | Promise<readonly EventToAppend<E>[]>;
}
