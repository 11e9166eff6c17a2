import type { CommandList } from '../aggregates/command-list.js';
import { assertCommandList } from '../aggregates/commands.js';
import type { Decided } from '../aggregates/decided-appends.js';
import type { DomainEvent, RecordedEvent } from '../events/event.js';
import { assertOptions, isFunction, isName, isPlainObject } from '../options/options.js';
import type { EventFilter } from '../store/event-store.js';

/** An event as `evolve` of a decision gets it: with its stream, tags and all else that a store returns. */
export type FilteredEvent<E extends DomainEvent = DomainEvent> = E & Omit<RecordedEvent, 'type' | 'data'>;

/**
 * A decider over a filter instead of a stream: it decides a command on events of any streams, and what it decides is
 * stored only if none of these events was added meanwhile. Made by {@link defineDecision}.
 *
 * @typeParam E the events that it reads and appends
 * @typeParam Commands its list of commands
 */
export interface Decision<State, Command, E extends DomainEvent, Commands extends CommandList = CommandList> {
  /**
   * Names it in errors, and tells its commands from those of other decisions: under another name, a command that is sent
   * again is refused as another one. One whose commands clients send has a name of letters, digits and `_`.
   */
  readonly name: string;
  /** The command types that clients may send; its commands are then `{ type, data }`. Default: none. */
  readonly commands?: Commands;
  /**
   * The stream that the events go to, and where the command is found again by its id. It follows from the command alone,
   * on each side of Temporal.
   */
  home(command: Command): string;
  /**
   * The events that the command depends on; any of the filters takes them. No times, and at most 100 filters.
   *
   * Give each a tag that few appends share, and name it first: decisions on a tag take turns with the appends of events
   * that carry it.
   */
  filter(command: Command): EventFilter<E['type']> | readonly EventFilter<E['type']>[];
  initialState(command: Command): State;
  /** How an event changes the state. It leaves the given state as it is, as `decide` does. */
  evolve(state: State, event: FilteredEvent<E>, command: Command): State;
  /**
   * Returns the events to append to the home stream, none if nothing changes, or throws a {@link DomainError}. It is
   * called again when others append what it depends on.
   *
   * A {@link StreamAppend} in the list goes to another stream, as a part of the same commit. To expect something of the
   * home stream, return all as `StreamAppend`s, the one of the home stream first.
   */
  decide(state: State, command: Command): Decided<E> | Promise<Decided<E>>;
}

/**
 * What {@link defineDecision} takes.
 *
 * @typeParam Item what `decide` returns a list of; it is inferred, so that the types of events need no `as const`
 */
export interface DecisionDefinition<
  State,
  Command,
  E extends DomainEvent,
  Item extends Decided<E>[number] = Decided<E>[number],
  Commands extends CommandList = CommandList,
> extends Omit<Decision<State, Command, E, Commands>, 'decide'> {
  decide(state: State, command: Command): readonly Item[] | Promise<readonly Item[]>;
}

/**
 * Defines a decision, for rules that hold across streams: a name is taken once, a course has no more students than seats.
 *
 * TypeScript infers the rest from two types: that of the command in `home`, where it first stands, and that of the event in
 * `evolve`. The latter names all events that the decision reads or appends.
 *
 * @throws {@link InvalidArgumentError} for a missing, unknown or malformed field
 * @example
 * type CourseEvent = DomainEvent<'CapacityChanged', { seats: number }> | DomainEvent<'Enrolled', { student: string }>;
 *
 * const enrol = defineDecision({
 *   name: 'enrol',
 *   home: (command: Enrol) => streamId('Enrolment', command.enrolmentId),
 *   filter: ({ course }) => ({ types: ['CapacityChanged', 'Enrolled'], tags: [`course:${course}`] }),
 *   initialState: () => ({ seats: 0, taken: 0 }),
 *   evolve: (state, event: CourseEvent) =>
 *     event.type === 'Enrolled' ? { ...state, taken: state.taken + 1 } : { ...state, seats: event.data.seats },
 *   decide: ({ seats, taken }, { course, student }) => {
 *     if (taken >= seats) throw new DomainError('The course is full');
 *     return [{ type: 'Enrolled', data: { student }, tags: [`course:${course}`] }];
 *   },
 * });
 */
export function defineDecision<
  State,
  Command,
  E extends DomainEvent,
  const Item extends Decided<E>[number] = Decided<E>[number],
  Commands extends CommandList = CommandList,
>(definition: DecisionDefinition<State, Command, E, Item, Commands>): Decision<State, Command, E, Commands> {
  assertOptions(
    'defineDecision',
    definition,
    {
      name: isName,
      home: isFunction,
      filter: isFunction,
      initialState: isFunction,
      evolve: isFunction,
      decide: isFunction,
      commands: isPlainObject,
    },
    ['name', 'home', 'filter', 'initialState', 'evolve', 'decide'],
  );
  const { name, commands } = definition;
  assertCommandList({ category: name, ...(commands && { commands }) });
  return definition;
}
