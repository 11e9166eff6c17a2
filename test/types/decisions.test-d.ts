import {
  AggregateRoot,
  createCommandHandler,
  createDecisionHandler,
  defineDecision,
  withEvents,
  defineEvents,
  type Decided,
  type Decider,
  type Decision,
  type DomainEvent,
  type EventStore,
  type EventToAppend,
  type FilteredEvent,
  type RecordedEvent,
} from 'temporal-event-store';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { describe, expectTypeOf, it } from 'vitest';

type Opened = DomainEvent<'Opened', { readonly seats: number }>;
type Enrolled = DomainEvent<'Enrolled', { readonly student: string }>;
type CourseEvent = Opened | Enrolled;

interface Enrol {
  readonly course: string;
  readonly student: string;
}

declare const store: EventStore;
declare const memory: MemoryEventStore;
declare const opened: Opened;

const enrol = defineDecision({
  name: 'enrol',
  home: (command: Enrol) => `Course-${command.course}`,
  filter: ({ course }) => ({ types: ['Opened', 'Enrolled'], tags: [`course:${course}`] }),
  initialState: () => ({ seats: 0, students: [] as readonly string[] }),
  evolve(state, event: CourseEvent) {
    if (event.type === 'Opened') return { ...state, seats: event.data.seats };
    return { ...state, students: [...state.students, event.data.student] };
  },
  decide(state, command) {
    expectTypeOf(state).toEqualTypeOf<{ seats: number; students: readonly string[] }>();
    expectTypeOf(command).toEqualTypeOf<Enrol>();
    return [{ type: 'Enrolled', data: { student: command.student }, tags: [`course:${command.course}`] }];
  },
});

const common = {
  name: 'enrol',
  home: (command: Enrol) => `Course-${command.course}`,
  filter: () => ({}),
  initialState: () => 0,
};

describe('a decision', () => {
  it('has the command of its functions, the state of initialState and the events of evolve', () => {
    expectTypeOf(enrol).toEqualTypeOf<
      Decision<{ seats: number; students: readonly string[] }, Enrol, CourseEvent>
    >();
  });

  it('knows its command and its state also from decide, where that is annotated in full', () => {
    const decision = defineDecision({
      name: 'enrol',
      home: ({ course }) => `Course-${course}`,
      filter: ({ course }) => ({ tags: [course] }),
      initialState: () => 0,
      evolve: (count, _event: CourseEvent) => count + 1,
      decide: (count: number, { student }: Enrol) =>
        count > 5 ? [] : [{ type: 'Enrolled', data: { student } }],
    });
    expectTypeOf(decision).toEqualTypeOf<Decision<number, Enrol, CourseEvent>>();
  });

  it('gets the stream, tags and position of each event', () => {
    defineDecision<number, Enrol, CourseEvent>({
      ...common,
      evolve(count, event) {
        expectTypeOf(event).toEqualTypeOf<FilteredEvent<CourseEvent>>();
        expectTypeOf(event.tags).toEqualTypeOf<readonly string[]>();
        expectTypeOf(event.streamId).toBeString();
        expectTypeOf(event.position).toBeNumber();
        if (event.type === 'Opened') expectTypeOf(event.data.seats).toBeNumber();
        return count;
      },
      decide: () => [],
    });
    expectTypeOf<RecordedEvent<CourseEvent>>().toExtend<FilteredEvent<CourseEvent>>();
  });

  it('may be annotated with what it sees of an event', () => {
    const decision = defineDecision({
      ...common,
      evolve: (count, { tags, type }: CourseEvent & { readonly tags: readonly string[] }) =>
        count + (type === 'Opened' ? 0 : tags.length),
      decide: () => [{ type: 'Enrolled', data: { student: 'ann' }, tags: ['a'] }],
    });
    expectTypeOf(decision.decide).returns.not.toBeAny();
  });

  it('appends only its events, with their data', () => {
    const evolve = (count: number, _event: CourseEvent): number => count;
    // @ts-expect-error -- a misspelt type
    defineDecision({ ...common, evolve, decide: () => [{ type: 'Enroled', data: { student: 'ann' } }] });
    // @ts-expect-error -- the data of another event
    defineDecision({ ...common, evolve, decide: () => [{ type: 'Enrolled', data: { seats: 5 } }] });
    // @ts-expect-error -- no list
    defineDecision({ ...common, evolve, decide: () => ({ type: 'Enrolled', data: { student: 'ann' } }) });
    const wrong = { streamId: 'Student-1', events: [{ type: 'Left', data: {} }] };
    // @ts-expect-error -- not an event of this decision, to another stream
    defineDecision({ ...common, evolve, decide: () => [wrong] });
  });

  it('appends to several streams, sync and async', () => {
    const evolve = (count: number, _event: CourseEvent): number => count;
    defineDecision({
      ...common,
      evolve,
      decide: async () => [
        { type: 'Enrolled', data: { student: 'ann' } },
        { streamId: 'Student-ann', expectedVersion: 'streamExists', events: [opened] },
      ],
    });
    defineDecision({
      ...common,
      evolve,
      decide: () => [{ streamId: 'Course-1', expectedVersion: 4, events: [opened] }],
    });
  });

  it('filters by the types of its events', () => {
    const rest = { ...common, evolve: (count: number, _event: CourseEvent) => count, decide: () => [] };
    defineDecision({ ...rest, filter: () => [{ types: ['Opened'] }, { types: ['Enrolled'], tags: ['a'] }] });
    // @ts-expect-error -- a misspelt type
    defineDecision({ ...rest, filter: () => ({ types: ['Oponed'] }) });
    // @ts-expect-error -- a misspelt condition
    defineDecision({ ...rest, filter: () => ({ tag: ['a'] }) });
  });

  it('needs all its functions', () => {
    // @ts-expect-error -- no evolve
    defineDecision({ ...common, decide: () => [] });
  });
});

describe('a decision handler', () => {
  it('takes the commands of its decision, and gives its events', async () => {
    const { execute } = createDecisionHandler(store, enrol);
    const result = await execute({ course: 'c', student: 's' }, { signal: AbortSignal.timeout(5) });
    expectTypeOf(result.events).toEqualTypeOf<readonly EventToAppend<CourseEvent>[] | undefined>();
    expectTypeOf(result.position).toBeNumber();
    // @ts-expect-error -- not a command of this decision
    void execute({ course: 'c' });
    // @ts-expect-error -- not an option
    void execute({ course: 'c', student: 's' }, { expectedVersion: 5 });
  });

  it('takes any store', () => {
    createDecisionHandler(memory, enrol);
    createDecisionHandler(withEvents(memory, defineEvents({ Opened: {} })), enrol);
  });
});

describe('given', () => {
  it('takes the events of a decision, with streams and tags, and its commands', async () => {
    const spec = given(enrol, [
      opened,
      { ...opened, streamId: 'Course-c', tags: ['course:c'], metadata: { actor: 'ann' } },
    ]);
    expectTypeOf(spec.when).parameter(0).toEqualTypeOf<Enrol>();
    const command = { course: 'c', student: 's' };
    await spec.when(command).then([{ type: 'Enrolled', data: { student: 's' } }]);
    await spec.when(command).then([{ type: 'Enrolled', data: { student: 's' }, streamId: 'Course-c' }]);
    // @ts-expect-error -- not an event of this decision
    given(enrol, [{ type: 'Left', data: {} }]);
    // @ts-expect-error -- not a command of this decision
    spec.when({ course: 'c' });
    // @ts-expect-error -- the data of another event
    await spec.when(command).then([{ type: 'Enrolled', data: { seats: 5 } }]);
  });
});

describe('a decider', () => {
  type Reserved = DomainEvent<'Reserved', { readonly sku: string }>;

  it('appends its own events to other streams, or others that it names', () => {
    const rest = { category: 'Course', initialState: () => 0, evolve: (count: number) => count };
    const reserve = { streamId: 'Stock-1', events: [{ type: 'Reserved' as const, data: { sku: 'a' } }] };
    const own: Decider<number, Enrol, CourseEvent> = {
      ...rest,
      decide: () => [opened, { streamId: 'Course-2', events: [opened] }],
    };
    const others: Decider<number, Enrol, CourseEvent, Reserved> = {
      ...rest,
      decide: () => [opened, reserve],
    };
    // @ts-expect-error -- not its own event
    const wrong: Decider<number, Enrol, CourseEvent> = { ...rest, decide: () => [opened, reserve] };
    expectTypeOf(createCommandHandler(store, own).execute('1', { course: 'c', student: 's' }))
      .resolves.toHaveProperty('events')
      .toEqualTypeOf<readonly EventToAppend<CourseEvent>[] | undefined>();
    createCommandHandler(store, others);
    given(others, [opened]);
    expectTypeOf(wrong).not.toBeAny();
    expectTypeOf<readonly CourseEvent[]>().toExtend<Decided<CourseEvent>>();
  });

  it('is an aggregate that appends to other streams', () => {
    class Course extends AggregateRoot<CourseEvent> {
      static readonly category = 'Course';
      open(): void {
        this.raise(opened);
        this.alsoAppend({ streamId: 'Course-2', expectedVersion: 0, events: [opened] });
        this.alsoAppend<Reserved>({
          streamId: 'Stock-1',
          events: [{ type: 'Reserved', data: { sku: 'a' } }],
        });
        // @ts-expect-error -- other data
        this.alsoAppend<Reserved>({ streamId: 'Stock-1', events: [{ type: 'Reserved', data: {} }] });
      }
      protected apply(): void {
        // Nothing to remember.
      }
    }
    // @ts-expect-error -- only a command may
    new Course('1').alsoAppend({ streamId: 'Course-2', events: [opened] });
  });
});
