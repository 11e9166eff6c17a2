import type { AggregateClass, AggregateRoot, EventsOf } from '../core/aggregates/aggregate-root.js';
import { splitDecided, toAppends } from '../core/aggregates/decided-appends.js';
import type { Decider } from '../core/aggregates/decider.js';
import { createDecisionHandler } from '../core/decisions/decision-handler.js';
import type { Decision } from '../core/decisions/decision.js';
import type { DomainEvent, EventToAppend } from '../core/events/event.js';
import type { StreamAppend } from '../core/store/append/multi-stream-appends.js';
import { iterateAll } from '../core/store/read/iterate.js';
import { streamId } from '../core/store/stream-id.js';
import { canonicalJson } from '../core/values/json.js';
import { MemoryEventStore } from '../memory/memory-event-store.js';

/**
 * What a command is expected to do: lead to events (type and data, in order; stream and tags where they are named), or
 * throw an error, given by its class, a pattern for its message, or some of its fields.
 */
export type Expectation<E extends DomainEvent> =
  readonly Outcome<E>[] | (new (...args: never[]) => Error) | RegExp | Readonly<Record<string, unknown>>;

/** An event of the subject; or one of any stream, which is then compared, too. So are tags, whatever their order. */
type Outcome<E extends DomainEvent> = (OwnOutcome<E> | (DomainEvent & { readonly streamId: string })) & {
  readonly tags?: readonly string[];
};

/** Distributes over a union of events, so that each type has its own data. */
type OwnOutcome<E extends DomainEvent> = E extends DomainEvent ? Pick<E, 'type' | 'data'> : never;

/** An event that a decision may depend on. */
export type GivenEvent<E extends DomainEvent> = EventToAppend<E> & {
  /** Default: the home stream of the command. */
  readonly streamId?: string;
};

/** The last step of given/when/then. */
export interface Then<E extends DomainEvent> {
  /**
   * Call it with one expectation and await it. Awaiting `when(…)` without `then` fails.
   *
   * @param expected events: exactly these types and data, in order, with the stream and the tags that they name; else the
   *   error that the command must throw
   * @throws an Error that shows what was expected and what happened
   */
  then(expected: Expectation<E>): Promise<void>;
}

/** The step that names the command. */
export interface Given<Command, E extends DomainEvent> {
  when(command: Command): Then<E>;
}

/**
 * Specifies an aggregate, decider or decision: given these events, when this command comes, then these events or that
 * error. It needs no store and no test runner: a failed expectation throws.
 *
 * A decision gets those of the events that its filter takes, so a wrong filter shows. What goes to several streams is
 * expected in the order in which it is stored, the home stream first.
 *
 * @example
 * await given(Account, [deposited(5)]).when((account) => account.withdraw(7)).then(DomainError);
 * await given(accountDecider, []).when({ type: 'Deposit', data: { amount: 5 } }).then([deposited(5)]);
 * await given(enrol, [{ type: 'CapacityChanged', data: { seats: 1 }, tags: ['course:c1'] }])
 *   .when({ enrolmentId: '7', course: 'c1', student: 's1' })
 *   .then([{ type: 'Enrolled', data: { student: 's1' } }]);
 */
export function given<A extends AggregateRoot>(
  aggregate: AggregateClass<A>,
  events: readonly EventsOf<A>[],
): Given<(aggregate: A) => unknown, EventsOf<A>>;
export function given<State, Command, E extends DomainEvent>(
  decision: Decision<State, Command, E>,
  events: readonly GivenEvent<E>[],
): Given<Command, E>;
export function given<State, Command, E extends DomainEvent, Others extends DomainEvent = E>(
  decider: Decider<State, Command, E, Others>,
  events: readonly E[],
): Given<Command, E>;
export function given(subject: Subject, events: readonly DomainEvent[]): Given<never, DomainEvent> {
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

type Subject =
  AggregateClass | Decision<unknown, unknown, DomainEvent> | Decider<unknown, unknown, DomainEvent>;

/** What a command led to. */
type LedTo = DomainEvent & { readonly streamId: string; readonly tags?: readonly string[] };

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
  subject: Subject,
  events: readonly DomainEvent[],
  command: unknown,
): Promise<readonly LedTo[]> {
  if ('home' in subject) return decideOn(subject, events, command);
  const home = streamId(subject.category, '1');
  if (typeof subject !== 'function') {
    const state = events.reduce((before, event) => subject.evolve(before, event), subject.initialState());
    return inOrder(toAppends(home, splitDecided(await subject.decide(state, command))));
  }
  const aggregate = (
    subject as unknown as { fromEvents(id: string, events: readonly DomainEvent[]): AggregateRoot }
  ).fromEvents('1', events);
  await (command as (aggregate: AggregateRoot) => unknown)(aggregate);
  const { uncommittedEvents, uncommittedAppends } = aggregate;
  return inOrder(toAppends(home, { own: uncommittedEvents, others: uncommittedAppends }));
}

function inOrder(appends: readonly StreamAppend[]): readonly LedTo[] {
  return appends.flatMap((append) => append.events.map((event) => ({ ...event, streamId: append.streamId })));
}

/** On a store in memory, so that filters, tags and several streams do what they do in any store. */
async function decideOn(
  decision: Decision<unknown, unknown, DomainEvent>,
  events: readonly GivenEvent<DomainEvent>[],
  command: unknown,
): Promise<readonly LedTo[]> {
  const store = new MemoryEventStore();
  for (const { streamId: stream = decision.home(command), ...event } of events) {
    await store.appendToStream(stream, [event]);
  }
  await createDecisionHandler(store, decision).execute(command);
  const decided: LedTo[] = [];
  for await (const event of iterateAll(store, { after: events.length })) decided.push(event);
  return decided;
}

async function compare(
  outcome: Promise<readonly LedTo[]>,
  expected: Expectation<DomainEvent>,
): Promise<void> {
  const happened = await outcome.then(
    (events) => ({ events }),
    (error: unknown) => ({ error }),
  );
  if (Array.isArray(expected)) {
    if ('error' in happened) throw happened.error;
    const wantedEvents = expected as readonly Partial<LedTo>[];
    const wanted = show(wantedEvents);
    const got = show(happened.events, wantedEvents);
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

/** @param like events of which those in the same place say whether stream and tags are shown. Default: where there are some */
function show(events: readonly Partial<LedTo>[], like: readonly Partial<LedTo>[] = events): string {
  const lines = events.map(({ type, data, streamId: stream, tags = [] }, index) => {
    const place = like[index]?.streamId !== undefined ? ` in ${String(stream)}` : '';
    const tagged =
      like[index]?.tags !== undefined && tags.length > 0 ? ` tagged ${[...tags].sort().join(', ')}` : '';
    return `  ${String(type)} ${canonicalJson(data)}${place}${tagged}`;
  });
  return lines.join('\n') || '  none';
}
