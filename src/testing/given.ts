import type { AggregateClass, AggregateRoot, EventsOf } from '../core/aggregates/aggregate-root.js';
import type { Decider } from '../core/aggregates/decider.js';
import type { DomainEvent } from '../core/events/event.js';
import { canonicalJson } from '../core/values/json.js';

/**
 * What a command is expected to do: lead to events (type and data, in order), or throw an error, given by its class, a
 * pattern for its message, or some of its fields.
 */
export type Expectation<E extends DomainEvent> =
  readonly Outcome<E>[] | (new (...args: never[]) => Error) | RegExp | Readonly<Record<string, unknown>>;

/** Distributes over a union of events, so that each type has its own data. */
type Outcome<E extends DomainEvent> = E extends DomainEvent ? Pick<E, 'type' | 'data'> : never;

/** The last step of given/when/then. */
export interface Then<E extends DomainEvent> {
  /**
   * Call it with one expectation and await it. Awaiting `when(…)` without `then` fails.
   *
   * @param expected events: exactly these types and data, in order; else the error that the command must throw
   * @throws an Error that shows what was expected and what happened
   */
  then(expected: Expectation<E>): Promise<void>;
}

/** The step that names the command. */
export interface Given<Command, E extends DomainEvent> {
  when(command: Command): Then<E>;
}

/**
 * Specifies an aggregate or decider: given these events, when this command comes, then these events or that error. It
 * needs no store and no test runner: a failed expectation throws.
 *
 * @example
 * await given(Account, [deposited(5)]).when((account) => account.withdraw(7)).then(DomainError);
 * await given(accountDecider, []).when({ type: 'Deposit', data: { amount: 5 } }).then([deposited(5)]);
 */
export function given<A extends AggregateRoot>(
  aggregate: AggregateClass<A>,
  events: readonly EventsOf<A>[],
): Given<(aggregate: A) => unknown, EventsOf<A>>;
export function given<State, Command, E extends DomainEvent>(
  decider: Decider<State, Command, E>,
  events: readonly E[],
): Given<Command, E>;
export function given(
  subject: AggregateClass | Decider<unknown, unknown, DomainEvent>,
  events: readonly DomainEvent[],
): Given<never, DomainEvent> {
  return {
    when: (command: unknown) => {
      const outcome = run(subject, events, command);
      // A rejection that nobody waits for yet is not an unhandled one.
      outcome.catch(() => undefined);
      return {
        then: (expected: Expectation<DomainEvent>, ...rest: readonly unknown[]) =>
          isAwait(expected, rest) ? refuse(rest[0]) : compare(outcome, expected),
      };
    },
  };
}

/** `await` calls the `then` of whatever it is given, with two functions; an expectation comes alone. */
function isAwait(
  expected: unknown,
  rest: readonly unknown[],
): rest is readonly [(error: unknown) => void, ...unknown[]] {
  return typeof expected === 'function' && typeof rest[0] === 'function';
}

/** Otherwise the test would wait for ever. */
async function refuse(reject: (error: unknown) => void): Promise<void> {
  reject(
    new Error(
      'given(…).when(…) expects nothing yet. Say what is right: await given(…).when(…).then([…events]) or .then(DomainError).',
    ),
  );
}

async function run(
  subject: AggregateClass | Decider<unknown, unknown, DomainEvent>,
  events: readonly DomainEvent[],
  command: unknown,
): Promise<readonly DomainEvent[]> {
  if (typeof subject !== 'function') {
    const state = events.reduce((before, event) => subject.evolve(before, event), subject.initialState());
    return subject.decide(state, command);
  }
  const aggregate = (
    subject as unknown as { fromEvents(id: string, events: readonly DomainEvent[]): AggregateRoot }
  ).fromEvents('1', events);
  await (command as (aggregate: AggregateRoot) => unknown)(aggregate);
  return aggregate.uncommittedEvents;
}

async function compare(
  outcome: Promise<readonly DomainEvent[]>,
  expected: Expectation<DomainEvent>,
): Promise<void> {
  const happened = await outcome.then(
    (events) => ({ events }),
    (error: unknown) => ({ error }),
  );
  if (Array.isArray(expected)) {
    if ('error' in happened) throw happened.error;
    const [wanted, got] = [expected as readonly DomainEvent[], happened.events].map(show);
    if (wanted !== got) throw new Error(`Expected the events\n${wanted}\nbut got\n${got}`);
    return;
  }
  if ('events' in happened) {
    throw new Error(`Expected an error, but got the events\n${show(happened.events)}`);
  }
  if (!isExpectedError(happened.error, expected as Exclude<Expectation<DomainEvent>, readonly unknown[]>)) {
    throw new Error(`Expected another error than: ${String(happened.error)}`, { cause: happened.error });
  }
}

function isExpectedError(
  error: unknown,
  expected: Exclude<Expectation<DomainEvent>, readonly unknown[]>,
): boolean {
  if (typeof expected === 'function') return error instanceof expected;
  if (expected instanceof RegExp) return expected.test(String((error as Error | null)?.message));
  return Object.entries(expected).every(
    ([key, value]) => JSON.stringify((error as Record<string, unknown>)[key]) === JSON.stringify(value),
  );
}

function show(events: readonly DomainEvent[]): string {
  return events.map(({ type, data }) => `  ${type} ${canonicalJson(data)}`).join('\n') || '  none';
}
