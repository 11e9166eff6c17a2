import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  defineEvents,
  DomainError,
  withEvents,
  type AggregateClass,
  type Decider,
  type DomainEvent,
  type EventStore,
  type SnapshotStore,
  type StandardSchema,
} from 'temporal-event-store';
import { createAggregateActivities } from 'temporal-event-store/activities';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { storedForm } from '../../../src/core/store/append/stored-form.js';

/**
 * Each event carries what its aggregate looked like when it was raised, so that what is stored tells on which state was decided.
 * `back` is how many events of the same decision came before it, where they were not applied yet.
 */
type Noted = DomainEvent<
  'Noted' | 'Marked',
  { readonly text: string; readonly more?: unknown; readonly seen: string; readonly back: number }
>;

interface State {
  texts: string[];
  /** What the events brought along, as the very objects. */
  kept: unknown[];
  /** The properties that they had, in their order. */
  keys: string[];
  negatives: number;
}

interface Payload {
  readonly text: string;
  readonly more?: unknown;
}

const looks = (state: object): string =>
  inspect(withoutUndefined(state), { depth: null, maxArrayLength: null, maxStringLength: null });

/** A property that is undefined is an absent one, everywhere in the library. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  const defined = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(defined.map(([key, part]) => [key, withoutUndefined(part)]));
}

const initialState = (): State => ({ texts: [], kept: [], keys: [], negatives: 0 });

/** How an event changes a state: as carelessly as user code may. */
const changes = {
  'copies the data': (state: State, { data }: Noted): void => {
    state.texts = [...state.texts, data.text];
    state.kept = [...state.kept, structuredClone(data.more)].filter((part) => part !== undefined);
  },
  'keeps the data, and changes it': (state: State, { data }: Noted): void => {
    state.texts.push(data.text);
    if (typeof data.more !== 'object' || data.more === null) return;
    state.kept = [data.more];
    if (Array.isArray(data.more)) data.more.push('changed');
    else Object.assign(data.more, { changed: true });
  },
  'looks at what there is': (state: State, { data }: Noted): void => {
    state.texts.push(data.text);
    state.keys.push(...Object.keys(data), ...Object.keys((data.more as object | undefined) ?? {}));
    if (Object.is(data.more, -0) || Object.values((data.more as object | null) ?? {}).some(isMinusZero)) {
      state.negatives++;
    }
  },
};

const isMinusZero = (value: unknown): boolean => Object.is(value, -0);

const commandNames = ['note', 'noteTwice', 'noteOnce'] as const;

function modelOf(change: keyof typeof changes): {
  readonly class: AggregateClass & { readonly commands: object };
  readonly decider: Decider<State, { readonly type: string; readonly data: Payload }, Noted>;
} {
  class Notes extends AggregateRoot<Noted> implements State {
    static readonly category = 'Notes';
    static readonly snapshotVersion = 1;
    static readonly commands = Object.fromEntries(commandNames.map((name) => [name, true]));
    texts: string[] = [];
    kept: unknown[] = [];
    keys: string[] = [];
    negatives = 0;

    note(payload: Payload, type: Noted['type'] = 'Noted'): void {
      const seen = looks({ texts: this.texts, kept: this.kept, keys: this.keys, negatives: this.negatives });
      this.raise({ type, data: { ...payload, seen, back: 0 } });
    }
    noteTwice(payload: Payload): void {
      this.note(payload);
      this.note({ text: 'again' }, 'Marked');
    }
    noteOnce(payload: Payload): void {
      if (this.texts.includes(payload.text)) throw new DomainError('There is one already');
      this.note(payload, 'Marked');
    }
    protected apply(event: Noted): void {
      changes[change](this, event);
    }
  }
  return {
    class: Notes,
    decider: {
      category: 'Notes',
      commands: Notes.commands,
      initialState,
      evolve: (state, event) => {
        const next = { ...state, texts: [...state.texts], keys: [...state.keys] };
        changes[change](next, event);
        return next;
      },
      decide: (state, { type, data }) => {
        const event = (back: number, payload: Payload, eventType: Noted['type']): Noted => ({
          type: eventType,
          data: { ...payload, seen: looks(state), back },
        });
        if (type === 'note') return [event(0, data, 'Noted')];
        if (type === 'noteTwice') return [event(0, data, 'Noted'), event(1, { text: 'again' }, 'Marked')];
        if (state.texts.includes(data.text)) throw new DomainError('There is one already');
        return [event(0, data, 'Marked')];
      },
    },
  };
}

interface Data {
  readonly text: string;
}
/** What schemas do to data, whatever library they are of. */
const schemas = {
  none: undefined,
  'trims and fills in': schema((data) => ({ ...data, text: data.text.trim().toLowerCase(), language: 'en' })),
  'changes what it has made': schema((data) => ({ ...data, text: `${data.text}!` })),
  'orders and coerces': schema(({ text, ...data }) => ({ ...data, size: `${text.length}`, text })),
  'refuses short ones': schema((data) => (data.text.length < 2 ? undefined : data)),
  'trims asynchronously': schema((data) => ({ ...data, text: data.text.trim() }), true),
  'checks asynchronously': schema((data) => (data.text.length < 2 ? undefined : data), true),
};

function schema(make: (data: Data) => object | undefined, isAsync = false): StandardSchema {
  const outcomeOf = (data: unknown): { value: unknown } | { issues: { message: string }[] } => {
    const value = make(data as Data);
    return value === undefined ? { issues: [{ message: 'No' }] } : { value };
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (data) => (isAsync ? Promise.resolve(data).then(outcomeOf) : outcomeOf(data)),
    },
  };
}

const namesOf = <T extends object>(choices: T): fc.Arbitrary<keyof T & string> =>
  fc.constantFrom(...(Object.keys(choices) as (keyof T & string)[]));

const awkward = fc.oneof(
  fc.constantFrom<unknown>(undefined, -0, 0, null, '', 1e21, 5e-324, '2024-02-30T00:00:00+14:00'),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.array(fc.constantFrom<unknown>(-0, [], ['a', -0], { b: undefined, c: -0 }), { maxLength: 3 }),
  fc.dictionary(
    fc.constantFrom('a', '1', '0', '__proto__', 'ß', 'constructor'),
    fc.constantFrom<unknown>(undefined, -0, [[-0]], 'x'),
  ),
);
const command = fc.record({
  name: fc.constantFrom(...commandNames),
  text: fc.constantFrom('Ann', ' ann ', 'ANN', 'a', '', 'Łódź ', 'ANN!', '😀 '),
  more: awkward,
});
const plan = fc.record({
  change: namesOf(changes),
  noted: namesOf(schemas),
  marked: namesOf(schemas),
  form: fc.constantFrom('class', 'decider'),
  way: fc.constantFrom('lane', 'repository', 'saved', 'handler'),
  batches: fc.array(fc.array(command, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
  snapshotEvery: fc.constantFrom(1, 2, 500),
  isCached: fc.boolean(),
  restarts: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/** What is put in between, to see that it would be noticed. */
interface Spoils {
  readonly store?: (store: EventStore) => EventStore;
  readonly snapshots?: (snapshots: SnapshotStore) => SnapshotStore;
}

/** Executes the commands; says where an event was decided on another state than a replay gives, and which states differ. */
async function faultsOf(
  { change, noted, marked, form, way, batches, snapshotEvery, isCached, restarts }: Plan,
  spoil: Spoils = {},
): Promise<readonly string[]> {
  const faults: string[] = [];
  const memory = new MemoryEventStore();
  const definitionOf = (name: keyof typeof schemas) =>
    schemas[name] === undefined ? {} : { schema: schemas[name] };
  const checked = withEvents(
    memory,
    defineEvents({ Noted: definitionOf(noted), Marked: definitionOf(marked) }),
  );
  const store = (spoil.store ?? ((same) => same))(isCached ? cachingEventStore(checked) : checked);
  const snapshots = (spoil.snapshots ?? ((same) => same))(memory.snapshots);
  const model = modelOf(change);
  const { decider } = model;
  const activities = () =>
    createAggregateActivities({
      store,
      aggregates: [form === 'class' ? model.class : decider],
      snapshots,
      snapshotEvery,
      logger: { debug: () => 0, info: () => 0, warn: (message) => faults.push(message), error: () => 0 },
    });
  const repository = new AggregateRepository(store, model.class, { snapshots });
  const handler = createCommandHandler(store, decider, { snapshots });
  const call = (aggregate: object, { name, text, more }: Plan['batches'][number][number]): unknown =>
    (aggregate as Record<string, (payload: Payload) => unknown>)[name]?.({ text, more });

  let { eventStoreExecute } = activities();
  let saved = await repository.load('1');
  let number = 0;
  for (const batch of batches) {
    if (way === 'lane') {
      if (restarts) ({ eventStoreExecute } = activities());
      const commands = batch.map(({ name, text, more }) => ({
        id: '1',
        commandId: `${number++}`,
        name,
        payload: { text, more } as never,
      }));
      await eventStoreExecute({ category: 'Notes', commands });
      continue;
    }
    if (restarts) saved = await repository.load('1');
    for (const each of batch) {
      try {
        if (way === 'handler') {
          const { name, ...payload } = each;
          await handler.execute('1', { type: name, data: payload });
        } else if (way === 'repository') {
          await repository.execute('1', (aggregate) => void call(aggregate, each));
        } else {
          call(saved, each);
          await repository.save(saved);
          if (snapshotEvery === 1) await repository.saveSnapshot(saved);
        }
      } catch (error) {
        if (!/There is one|does not fit|would be stored as/.test(String(error))) faults.push(String(error));
        saved = await repository.load('1');
      }
    }
  }

  const { events } = await memory.readStream<Noted>('Notes-1');
  const states = replayed(form === 'class' ? classStates(model.class) : deciderStates(decider), events);
  for (const { version, data } of events) {
    const before = states[version - 1 - data.back];
    if (data.seen !== before) faults.push(`${version} was decided on ${data.seen}, not on ${String(before)}`);
  }
  const plain = looks(await new AggregateRepository(store, model.class).load('1'));
  const restored = looks(await repository.load('1'));
  if (plain !== restored) faults.push(`by snapshot ${restored}, not ${plain}`);
  const live = looks(saved);
  if (way === 'saved' && live !== plain) faults.push(`live ${live}, not ${plain}`);
  return faults;
}

/** What the state looks like after no event, one, two … */
function replayed(
  { create, apply, look }: ReturnType<typeof deciderStates>,
  events: readonly Noted[],
): readonly string[] {
  return Array.from({ length: events.length + 1 }, (_, count) =>
    look(structuredClone(events.slice(0, count)).reduce(apply, create())),
  );
}

function deciderStates({ evolve }: Pick<ReturnType<typeof modelOf>['decider'], 'evolve'>) {
  return { create: initialState, apply: evolve, look: looks as (state: State) => string };
}

function classStates(aggregate: AggregateClass): ReturnType<typeof deciderStates> {
  const apply = (state: State, event: Noted): State => {
    (state as unknown as { apply(event: Noted): void }).apply(event);
    return state;
  };
  const create = (): State => new aggregate('1') as unknown as State;
  return {
    create,
    apply,
    look: ({ texts, kept, keys, negatives }) => looks({ texts, kept, keys, negatives }),
  };
}

/** Whether some plan shows the fault. */
async function isCaught(spoil: Spoils, fixed: Partial<Plan>): Promise<boolean> {
  const result = await fc.check(
    fc.asyncProperty(plan, async (each) => (await faultsOf({ ...each, ...fixed }, spoil)).length === 0),
    { numRuns: 300, seed: 1 },
  );
  return result.failed;
}

describe('the state that decides', () => {
  it('is that of a replay and that of a snapshot, whatever schemas, apply and evolve make of the events', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        expect(await faultsOf(each)).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });

  it.each([
    ['a lane that decides for a class', { way: 'lane', form: 'class' }],
    ['a lane that decides for a decider', { way: 'lane', form: 'decider' }],
    ['a repository', { way: 'repository', form: 'class' }],
  ] as const)('would not be, if the store did not say what it makes of events: %s', async (_what, fixed) => {
    const store = (inner: EventStore): EventStore => Object.assign({ ...inner }, { [storedForm]: undefined });
    expect(await isCaught({ store }, fixed)).toBe(true);
  });

  it('would not be, if a snapshot lost a part of it', async () => {
    const snapshots = (inner: SnapshotStore): SnapshotStore => ({
      load: async (...args) => {
        const snapshot = await inner.load(...args);
        return snapshot && { ...snapshot, state: { ...(snapshot.state as object), texts: [] } };
      },
      save: (...args) => inner.save(...args),
      delete: (...args) => inner.delete(...args),
    });
    expect(await isCaught({ snapshots }, { way: 'lane', restarts: true })).toBe(true);
  });
});
