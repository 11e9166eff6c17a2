import type { DomainEvent } from '../events/event.js';
import type { CommandList } from './command-list.js';
import type { Decided } from './decided-appends.js';

/** The default form of a decider's commands. */
export interface DomainCommand<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * An aggregate as three functions: its initial state, how an event changes it, and which events a command leads to.
 * (After Jérémie Chassaing, "Functional Event Sourcing Decider", 2021.)
 *
 * @example
 * const account: Decider<{ balance: number }, Deposit, Deposited> = {
 *   category: 'Account',
 *   initialState: () => ({ balance: 0 }),
 *   evolve: (state, event) => ({ balance: state.balance + event.data.amount }),
 *   decide: (state, command) => [{ type: 'Deposited', data: { amount: command.data.amount } }],
 * };
 *
 * @typeParam E the events of its streams
 * @typeParam Others the events that its commands append to other streams
 */
export interface Decider<State, Command, E extends DomainEvent, Others extends DomainEvent = E> {
  /** First part of the ids of its streams. */
  readonly category: string;
  /** Version of the state in snapshots; raise it when its shape or meaning changes. Default 1. */
  readonly snapshotVersion?: number;
  /** The command types that clients may send. Default: none. */
  readonly commands?: CommandList;
  initialState(): State;
  evolve(state: State, event: E): State;
  /**
   * Returns the events to append, none if nothing changes, or throws a {@link DomainError}.
   *
   * Beside its own events, a command may append to other streams, as one commit. Each of them is a {@link StreamAppend} in
   * the list. The store must append to several streams.
   *
   * @example
   * const decide: Decider<Balance, Transfer, Withdrawn | Deposited>['decide'] = (state, { data: { amount, to } }) => [
   *   { type: 'Withdrawn', data: { amount } },
   *   { streamId: streamId('Account', to), events: [{ type: 'Deposited', data: { amount } }] },
   * ];
   */
  decide(state: State, command: Command): Decided<E, Others> | Promise<Decided<E, Others>>;
}
