import fc from 'fast-check';
import {
  findEventStoreError,
  type AppendConditionFailedError,
  type EventFilter,
  type ExpectedVersion,
  type SettledPosition,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';

/** An event of the log; its position is its place there. */
interface Logged {
  readonly streamId: string;
  readonly commit: string;
  readonly streams: string;
  readonly type: string;
  readonly tags: readonly string[];
}

/** The store as a log, and the positions that its readers have settled. */
interface Model {
  readonly log: Logged[];
  readonly settled: number[];
  /** What was asked for. */
  readonly asked: Append[];
  /** What it has said. */
  readonly verdicts: Set<string>;
}

interface Real {
  readonly store: MemoryEventStore;
  readonly settled: SettledPosition[];
}

type Command = fc.AsyncCommand<Model, Real>;

interface Part {
  readonly streamId: string;
  readonly expected: ExpectedVersion;
  readonly events: readonly Pick<Logged, 'type' | 'tags'>[];
}

interface Append {
  readonly parts: readonly Part[];
  readonly commit: string;
  /** Of the settled positions, by age. */
  readonly condition: { readonly filter: readonly Wanted[]; readonly age: number } | undefined;
  readonly isPlain: boolean;
}

interface Wanted {
  readonly type: string | undefined;
  readonly category: string | undefined;
  readonly tags: readonly string[];
}

const few = <T>(each: fc.Arbitrary<T>, most: number): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength: 1, maxLength: most });
const maybe = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(each, { nil: undefined });
const types = fc.constantFrom('Opened', 'Paid');
const tags = fc.subarray(['a', 'b', 'c']);
const streamIds = fc.constantFrom('Account-1', 'Account-2', 'Payment-1', 'Payment-2');

const parts: fc.Arbitrary<Part> = fc.record({
  streamId: streamIds,
  // Mostly none, since each of several has to hold.
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant<ExpectedVersion>('any') },
    { weight: 1, arbitrary: fc.constantFrom<ExpectedVersion>('noStream', 'streamExists') },
    { weight: 1, arbitrary: fc.nat({ max: 6 }) },
  ),
  events: few(fc.record({ type: types, tags }), 3),
});

const wanted: fc.Arbitrary<Wanted> = fc.record({
  type: maybe(types),
  category: maybe(fc.constantFrom('Account', 'Payment')),
  tags,
});

const appends: fc.Arbitrary<Append> = fc
  .record({
    parts: fc.uniqueArray(parts, { minLength: 1, maxLength: 3, selector: ({ streamId }) => streamId }),
    commit: fc.constantFrom('c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'),
    condition: maybe(fc.record({ filter: few(wanted, 2), age: fc.nat({ max: 3 }) })),
    isPlain: fc.boolean(),
  })
  .map((append) => ({ ...append, isPlain: append.isPlain && append.parts.length === 1 }));

/** What the store has to say: the position of the event in the way, if there is one. */
function judge({ log, settled }: Model, append: Append): string | number {
  const streams = append.parts.map(({ streamId }) => streamId).join();
  const textOf = (events: readonly Pick<Logged, 'type' | 'tags'>[]): string =>
    events.map(({ type, tags: own }) => `${type}(${own.join()})`).join();
  const stored = append.parts.map(({ streamId }) =>
    log.filter((event) => event.streamId === streamId && event.commit === append.commit),
  );
  if (stored.some((events) => events.length > 0)) {
    const isSame = append.parts.every(
      ({ events }, index) =>
        textOf(events) === textOf(stored[index] ?? []) &&
        (stored[index] ?? []).every((event) => event.streams === streams),
    );
    return isSame ? 'repeat' : 'COMMIT_MISMATCH';
  }
  for (const { streamId, expected } of append.parts) {
    const version = log.filter((event) => event.streamId === streamId).length;
    const isThere = expected === 'any' || expected === (version === 0 ? 'noStream' : 'streamExists');
    if (!isThere && expected !== version) return 'VERSION_CONFLICT';
  }
  const after = append.condition && latest(settled, append.condition.age);
  if (append.condition === undefined || after === undefined) return 'appended';
  const { filter } = append.condition;
  const inTheWay = log.findIndex(
    (event, index) =>
      index >= after &&
      filter.some(
        ({ type, category, tags: all }) =>
          (type === undefined || type === event.type) &&
          (category === undefined || event.streamId.startsWith(`${category}-`)) &&
          all.every((tag) => event.tags.includes(tag)),
      ),
  );
  return inTheWay < 0 ? 'appended' : inTheWay + 1;
}

function latest<T>(values: readonly T[], age: number): T | undefined {
  return values[Math.max(0, values.length - 1 - age)];
}

function toFilter({ type, category, tags: all }: Wanted): EventFilter {
  return {
    ...(type !== undefined && { types: [type] }),
    ...(category !== undefined && { categories: [category] }),
    ...(all.length > 0 && { tags: all }),
  };
}

async function perform({ store, settled }: Real, append: Append): Promise<readonly object[]> {
  const after = append.condition && latest(settled, append.condition.age);
  const options = {
    commitId: append.commit,
    ...(append.condition && after && { condition: { filter: append.condition.filter.map(toFilter), after } }),
  };
  const given = append.parts.map(({ streamId, expected, events }) => ({
    streamId,
    expectedVersion: expected,
    events: events.map((event) => ({ ...event, data: { of: streamId } })),
  }));
  const [{ streamId, expectedVersion, events }] = given as [(typeof given)[number]];
  if (append.isPlain) return [await store.appendToStream(streamId, events, { ...options, expectedVersion })];
  return (await store.appendToStreams(given, options)).parts;
}

async function run(append: Append, model: Model, real: Real): Promise<void> {
  const verdict = judge(model, append);
  const isDependent = append.condition !== undefined && model.settled.length > 0;
  const name = typeof verdict === 'number' ? 'in the way' : verdict;
  model.verdicts.add(isDependent ? `${name}, dependent` : name);
  model.asked.push(append);
  const streams = append.parts.map(({ streamId }) => streamId).join();
  if (verdict === 'appended') {
    for (const { streamId, events } of append.parts) {
      model.log.push(...events.map((event) => ({ ...event, streamId, commit: append.commit, streams })));
    }
  }
  if (verdict !== 'appended' && verdict !== 'repeat') {
    const error = findEventStoreError(await perform(real, append).catch((thrown: unknown) => thrown));
    if (typeof verdict === 'string') expect(error?.code).toBe(verdict);
    else expect((error as AppendConditionFailedError).conflict.position).toBe(verdict);
    return;
  }
  const deduplicated = verdict === 'repeat';
  expect(await perform(real, append)).toMatchObject(
    append.parts.map(({ streamId }) => {
      const last = model.log.findLastIndex((e) => e.streamId === streamId && e.commit === append.commit);
      const version = model.log.slice(0, last + 1).filter((e) => e.streamId === streamId).length;
      return { streamId, commitId: append.commit, version, position: last + 1, deduplicated };
    }),
  );
}

const appending = appends.map((append): Command => ({
  check: () => true,
  toString: () => JSON.stringify(append),
  run: (model, real) => run(append, model, real),
}));

/** Something that was asked for before, or nearly that. */
const repeating = fc
  .record({
    age: fc.nat({ max: 5 }),
    change: fc.constantFrom('nothing', 'nothing', 'fewer streams', 'another order', 'another call'),
  })
  .map(({ age, change }): Command => ({
    check: ({ asked }) => asked.length > 0,
    toString: () => `again(${age}, ${change})`,
    run: async (model, real) => {
      const append = latest(model.asked, age) as Append;
      const { parts: all } = append;
      const asked: Part[] =
        change === 'fewer streams'
          ? all.slice(0, Math.max(1, all.length - 1))
          : change === 'another order'
            ? [...all].reverse()
            : [...all];
      const isPlain = asked.length === 1 && (change === 'another call' ? !append.isPlain : append.isPlain);
      await run({ ...append, parts: asked, isPlain }, model, real);
    },
  }));

const settling = fc.constant<Command>({
  check: () => true,
  toString: () => 'readAll()',
  run: async ({ log, settled }, real) => {
    const slice = await real.store.readAll({ filter: { types: ['Opened'] } });
    expect(slice.settled).toEqual({ position: log.length, storeId: slice.storeId });
    settled.push(log.length);
    real.settled.push(slice.settled!);
  },
});

const comparing = fc.constant<Command>({
  check: () => true,
  toString: () => 'compare',
  run: async ({ log }, { store }) => {
    const { events } = await store.readAll();
    expect(events.map(({ streamId, commitId, type, tags: own }) => [streamId, commitId, type, own])).toEqual(
      log.map(({ streamId, commit, type, tags: own }) => [streamId, commit, type, own]),
    );
    for (const [index, { metadata }] of events.entries()) {
      const streams = (log[index] as Logged).streams.split(',');
      expect(metadata).toEqual(streams.length === 1 ? {} : { commitStreams: streams });
    }
  },
});

it('judges appends to streams and their conditions as a plain log does', async () => {
  const verdicts = new Set<string>();
  const commands = fc.commands([appending, appending, repeating, settling, comparing], {
    maxCommands: 40,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const setup = (): { model: Model; real: Real } => ({
        model: { log: [], settled: [], asked: [], verdicts },
        real: { store: new MemoryEventStore(), settled: [] },
      });
      await fc.asyncModelRun(setup, sequence);
    }),
    { numRuns: 500 },
  );
  // Each verdict was due, also where a condition was not what decided.
  const each = ['appended', 'repeat', 'COMMIT_MISMATCH', 'VERSION_CONFLICT'];
  const dependent = [...each, 'in the way'].map((verdict) => `${verdict}, dependent`);
  expect([...verdicts].sort()).toEqual([...each, ...dependent].sort());
}, 30_000);
