import {
  createDecisionHandler,
  defineDecision,
  defineEvents,
  InvalidArgumentError,
  withEvents,
  type Decided,
  type Decision,
  type DecisionHandler,
  type DomainEvent,
  type EventFilter,
  type EventStore,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { observe, observeStreams } from '../fixtures/observed-store.js';

/** A name may be taken once; a claim takes it, at one stream or several. */
type Taken = DomainEvent<'Taken', { readonly name: string; readonly by?: string }>;
type Released = DomainEvent<'Released', { readonly name: string }>;
type NameEvent = Taken | Released;

interface Claim {
  readonly name: string;
  readonly by?: string;
}

function taken(name: string, tag = name): Taken & { readonly tags: readonly string[] } {
  return { type: 'Taken', data: { name }, tags: [tag] };
}

const released = (name: string): Released & { readonly tags: readonly string[] } => ({
  type: 'Released',
  data: { name },
  tags: [name],
});

const claimDefinition = {
  name: 'claim',
  home: ({ name }: Claim) => `Claim-${name}`,
  filter: ({ name }: Claim): EventFilter<NameEvent['type']> => ({ tags: [name] }),
  initialState: () => 0,
  evolve: (count: number, event: NameEvent) => count + (event.type === 'Taken' ? 1 : -1),
  decide: (count: number, { name }: Claim): Decided<NameEvent> => {
    if (count > 0) throw new Error(`${name} is taken`);
    return [taken(name)];
  },
};
const claim: Decision<number, Claim, NameEvent> = defineDecision(claimDefinition);
/** Takes a name however often it is taken. */
const take: Decision<number, Claim, NameEvent> = {
  ...claim,
  name: 'take',
  decide: (_, { name }) => [taken(name)],
};

let store: MemoryEventStore;

beforeEach(() => {
  store = new MemoryEventStore();
});

function claimsIn(
  eventStore: EventStore,
  decision: Partial<Decision<number, Claim, NameEvent>> = {},
): DecisionHandler<Claim, NameEvent> {
  return createDecisionHandler(eventStore, { ...claim, ...decision });
}

/** A store in which somebody else appends these before the first appends. */
function contended(...events: readonly NameEvent[]): ReturnType<typeof observeStreams> {
  const left = [...events];
  return observeStreams(store, {
    append: async () => {
      const event = left.shift();
      if (event !== undefined) await store.appendToStream('Other-1', [event]);
    },
  });
}

async function stored(): Promise<readonly string[]> {
  return (await store.readAll()).events.map(({ streamId, type }) => `${streamId} ${type}`);
}

describe('a decision handler', () => {
  it('decides on the events that the filter takes, appends to the home stream and says where', async () => {
    await store.appendToStream('Other-1', [taken('b'), { ...taken('a', 'x') }]);
    expect(await claimsIn(store).execute({ name: 'a' })).toEqual({
      events: [taken('a')],
      parts: [expect.objectContaining({ streamId: 'Claim-a', version: 1, position: 3 })],
      position: 3,
      deduplicated: false,
    });
    await expect(claimsIn(store).execute({ name: 'a' })).rejects.toThrow('a is taken');
    expect(await stored()).toEqual(['Other-1 Taken', 'Other-1 Taken', 'Claim-a Taken']);
  });

  it('says up to where it has decided when nothing changes', async () => {
    await store.appendToStream('Other-1', [taken('b'), taken('c')]);
    expect(await claimsIn(store, { decide: () => [] }).execute({ name: 'a' })).toEqual({
      events: [],
      parts: [],
      position: 2,
      deduplicated: false,
    });
  });

  it('reads page by page, and looks nothing up when a command goes through at once', async () => {
    await store.appendToStream('Other-1', [taken('a'), released('a'), taken('a'), released('a')]);
    const { store: observed, seen } = observeStreams(store);
    const claims = createDecisionHandler(observed, claim, { pageSize: 2, pageBytes: 1000 });
    await claims.execute({ name: 'a' }, { commandId: 'c' });

    const page = { filter: [{ tags: ['a'] }], limit: 2, maxBytes: 1000 };
    expect(seen.allReads).toEqual([
      { ...page, after: 0 },
      { ...page, after: 2 },
    ]);
    expect(seen.lookups).toEqual([]);
    expect(seen.appends).toMatchObject([
      { commitId: 'c', condition: { filter: [{ tags: ['a'] }], after: { position: 4 } } },
    ]);
  });

  it('gives the command to all its functions, and the whole event to evolve', async () => {
    await store.appendToStream('Other-1', [taken('a')], { metadata: { actor: 'ann' } });
    const evolve = vi.fn((count: number) => count);
    const initialState = vi.fn(() => 0);
    await claimsIn(store, { evolve, initialState }).execute({ name: 'a' });
    expect(initialState).toHaveBeenCalledWith({ name: 'a' });
    expect(evolve).toHaveBeenCalledWith(
      0,
      expect.objectContaining({ streamId: 'Other-1', tags: ['a'], position: 1, metadata: { actor: 'ann' } }),
      { name: 'a' },
    );
  });

  it('waits for a decision that is made asynchronously', async () => {
    const decide: typeof claim.decide = async (...args) => {
      await Promise.resolve();
      return claim.decide(...args);
    };
    expect(await claimsIn(store, { decide }).execute({ name: 'a' })).toMatchObject({ position: 1 });
    await expect(claimsIn(store, { decide }).execute({ name: 'a' })).rejects.toThrow('a is taken');
  });

  it('stores the command id as the commit id, and metadata on every event', async () => {
    const options = { commandId: 'c', metadata: { actor: 'ann' } };
    await claimsIn(store, {
      decide: () => [taken('a'), { streamId: 'Name-a', events: [taken('a')] }],
    }).execute({ name: 'a' }, options);
    for (const { commitId, metadata } of (await store.readAll()).events) {
      expect(commitId).toBe('c');
      expect(metadata).toMatchObject({ actor: 'ann', commandHash: expect.any(String) as unknown });
    }
  });
});

describe('a decision when others append', () => {
  it('is made again on what is new, and only that is read and folded', async () => {
    const { store: observed, seen } = contended(taken('a'), released('a'));
    const evolve = vi.fn(claim.evolve);
    const decide = vi.fn(take.decide);
    await claimsIn(observed, { evolve, decide }).execute({ name: 'a' });

    expect(decide.mock.calls.map(([count]) => count)).toEqual([0, 1, 0]);
    expect(evolve).toHaveBeenCalledTimes(2);
    expect(seen.allReads.map(({ after }) => after)).toEqual([0, 0, 1]);
    expect(await stored()).toEqual(['Other-1 Taken', 'Other-1 Released', 'Claim-a Taken']);
  });

  it('is not made again when they append what its filter does not take', async () => {
    const { store: observed, seen } = contended(taken('b'));
    const decide = vi.fn(claim.decide);
    await claimsIn(observed, { decide }).execute({ name: 'a' });
    expect(decide).toHaveBeenCalledTimes(1);
    expect(seen.lookups).toEqual([]);
  });

  it('is rejected when what is new does not allow it', async () => {
    const { store: observed } = contended(taken('a'));
    const execute = claimsIn(observed).execute({ name: 'a' }, { commandId: 'c' });
    await expect(execute).rejects.toThrow('a is taken');
    expect(await stored()).toEqual(['Other-1 Taken']);
  });

  it.each([
    { options: {}, attempts: 20 },
    { options: { maxAttempts: 1 }, attempts: 1 },
    { options: { maxAttempts: 3, commandId: 'c' }, attempts: 3 },
  ])('gives up after $attempts attempts with $options', async ({ options, attempts }) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store: observed, seen } = contended(...Array.from({ length: 99 }, () => taken('a')));
    const execute = Promise.allSettled([
      createDecisionHandler(observed, take).execute({ name: 'a' }, options),
    ]);
    // The pauses of the most attempts, none of which is longer than a quarter of a second.
    await vi.advanceTimersByTimeAsync(20 * 250);

    expect(((await execute)[0] as PromiseRejectedResult).reason).toMatchObject({
      code: 'APPEND_CONDITION_FAILED',
      after: attempts - 1,
      conflict: { position: attempts, streamId: 'Other-1', type: 'Taken' },
      message: expect.stringMatching(
        new RegExp(`each of ${attempts} attempts.*'Taken' to 'Other-1'.*raise maxAttempts`),
      ) as unknown,
      cause: { code: 'APPEND_CONDITION_FAILED' },
    });
    expect(seen.appends).toHaveLength(attempts);
  });

  it('makes no pauses and takes no turns where Temporal decides when calls are made', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store: observed } = contended(...Array.from({ length: 5 }, () => taken('a')));
    const paced = Object.assign(observed, { [Symbol.for('temporal-event-store/paced')]: true });
    await createDecisionHandler(paced, take).execute({ name: 'a' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a decision that appends to several streams', () => {
  const both: Decided<NameEvent> = [
    taken('a'),
    { streamId: 'Name-a', events: [taken('a')] },
    released('a'),
    { streamId: 'Name-b', events: [released('a')] },
  ];

  it('stores them as one commit, those of the home stream first', async () => {
    const result = await claimsIn(store, { decide: () => both }).execute({ name: 'a' });
    expect(await stored()).toEqual(['Claim-a Taken', 'Claim-a Released', 'Name-a Taken', 'Name-b Released']);
    expect(result).toMatchObject({
      events: [taken('a'), released('a'), taken('a'), released('a')],
      parts: [
        { streamId: 'Claim-a', version: 2, position: 2 },
        { streamId: 'Name-a', version: 1, position: 3 },
        { streamId: 'Name-b', version: 1, position: 4 },
      ],
      position: 4,
    });
  });

  it('is made again when any of them was appended to, where the filter takes that', async () => {
    const { store: observed } = contended(taken('a'));
    const decide = vi.fn((): Decided<NameEvent> => both);
    await claimsIn(observed, { decide }).execute({ name: 'a' });
    expect(decide).toHaveBeenCalledTimes(2);
  });

  it('may expect versions, also of the home stream, and is made again when they have changed', async () => {
    const decide = vi.fn((count: number): Decided<NameEvent> => [
      { streamId: 'Claim-a', expectedVersion: 'noStream', events: [taken('a')] },
      { streamId: 'Other-1', expectedVersion: count, events: [taken('a')] },
    ]);
    const { store: observed } = contended(taken('a'), taken('a'));
    const { position } = await claimsIn(observed, { decide }).execute({ name: 'a' });
    expect(decide.mock.calls.map(([count]) => count)).toEqual([0, 1, 2]);
    expect(position).toBe(4);
  });

  it('fails at once when it expects again what a stream is past', async () => {
    await store.appendToStream('Name-a', [taken('x')]);
    const { store: observed, seen } = observeStreams(store);
    const decide = vi.fn((): Decided<NameEvent> => [
      taken('a'),
      { streamId: 'Name-a', expectedVersion: 'noStream', events: [taken('a')] },
    ]);
    await expect(claimsIn(observed, { decide }).execute({ name: 'a' })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      streamId: 'Name-a',
      expectedVersion: 'noStream',
      actualVersion: 1,
    });
    expect(decide).toHaveBeenCalledTimes(2);
    expect(seen.appends).toHaveLength(1);
  });

  it('waits for a stream that it expects to exist', async () => {
    let attempts = 0;
    const { store: observed } = observeStreams(store, {
      append: async () => (++attempts === 3 ? store.appendToStream('Name-a', [taken('x')]) : undefined),
    });
    const decide = (): Decided<NameEvent> => [
      taken('a'),
      { streamId: 'Name-a', expectedVersion: 'streamExists', events: [taken('a')] },
    ];
    expect(await claimsIn(observed, { decide }).execute({ name: 'a' })).toMatchObject({ position: 3 });
  });

  it('is refused by a store that can not', async () => {
    const { store: single } = observe(store);
    await expect(claimsIn(single, { decide: () => both }).execute({ name: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/'Claim-a', 'Name-a', 'Name-b': it has no 'appendToStreams'/) as unknown,
    });
    expect(await claimsIn(single).execute({ name: 'a' })).toMatchObject({ position: 1 });
  });

  it.each<[string, Decided<NameEvent>, RegExp]>([
    [
      'nothing to its home stream',
      [{ streamId: 'Name-a', events: [taken('a')] }],
      /first append to 'Claim-a'/,
    ],
    [
      'to its home stream, but not first',
      [
        { streamId: 'Name-a', events: [taken('a')] },
        { streamId: 'Claim-a', events: [taken('a')] },
      ],
      /first append to 'Claim-a'/,
    ],
    [
      'to its home stream in two ways',
      [taken('a'), { streamId: 'Claim-a', events: [taken('a')] }],
      /'Claim-a' is the command's own stream/,
    ],
    [
      'to a stream twice',
      [taken('a'), { streamId: 'N-1', events: [taken('a')] }, { streamId: 'N-1', events: [taken('a')] }],
      /'N-1' twice/,
    ],
    ['to a stream without a list of events', [taken('a'), { streamId: 'N-1' } as never], /'N-1' has no list/],
  ])('is refused when it appends %s', async (_what, decided, message) => {
    await expect(claimsIn(store, { decide: () => decided }).execute({ name: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as unknown,
    });
    expect(await stored()).toEqual([]);
  });
});

describe('a command id that took effect before', () => {
  it.each<[string, Partial<typeof claim>]>([
    ['would now be rejected', {}],
    ['now yields nothing', { decide: (count) => (count > 0 ? [] : [taken('a')]) }],
    ['would take effect again', { decide: take.decide }],
    ['now yields other events', { decide: (count) => (count > 0 ? [released('a')] : [taken('a')]) }],
  ])('returns the first result when its command %s', async (_what, decision) => {
    const claims = claimsIn(store, decision);
    const { parts } = await claims.execute({ name: 'a' }, { commandId: 'c' });
    await store.appendToStream('Claim-a', [taken('b')]);

    expect(await claims.execute({ name: 'a' }, { commandId: 'c' })).toEqual({
      events: undefined,
      parts: [{ ...parts[0], deduplicated: true }],
      position: 1,
      deduplicated: true,
    });
    expect(await stored()).toHaveLength(2);
  });

  it('returns all parts of the first run, in their order', async () => {
    const claims = claimsIn(store, {
      decide: (count) =>
        count > 0
          ? []
          : [
              taken('a'),
              { streamId: 'N-2', events: [taken('x')] },
              { streamId: 'N-1', events: [taken('x')] },
            ],
    });
    const first = await claims.execute({ name: 'a' }, { commandId: 'c' });
    const again = await claims.execute({ name: 'a' }, { commandId: 'c' });
    expect(again).toEqual({
      events: undefined,
      parts: first.parts.map((part) => ({ ...part, deduplicated: true })),
      position: 3,
      deduplicated: true,
    });
    expect(again.parts.map(({ streamId }) => streamId)).toEqual(['Claim-a', 'N-2', 'N-1']);
  });

  it('returns the first result when the first run ends while the second is decided', async () => {
    const { store: observed } = observeStreams(store, {
      append: async () => createDecisionHandler(store, take).execute({ name: 'a' }, { commandId: 'c' }),
    });
    // Another store, so the two don't take turns.
    const execute = createDecisionHandler(observed, take).execute({ name: 'a' }, { commandId: 'c' });
    expect(await execute).toMatchObject({ events: undefined, position: 1, deduplicated: true });
  });

  it('is found when the first reply was lost', async () => {
    const { store: losing } = observeStreams(store);
    losing.appendToStream = async (...args) => {
      await store.appendToStream(...args);
      throw new Error('Connection reset');
    };
    const lost = claimsIn(losing).execute({ name: 'a' }, { commandId: 'c' });
    await expect(lost).rejects.toThrow('Connection reset');
    expect(await claimsIn(store).execute({ name: 'a' }, { commandId: 'c' })).toMatchObject({
      position: 1,
      deduplicated: true,
    });
  });

  it.each<[string, DecisionHandler<Claim, NameEvent>['execute']]>([
    [
      'another command',
      async (command, options) => claimsIn(store).execute({ ...command, by: 'eve' }, options),
    ],
    [
      'a command of another decision',
      async (command, options) => createDecisionHandler(store, take).execute(command, options),
    ],
  ])('is refused for %s', async (_what, execute) => {
    await claimsIn(store).execute({ name: 'a' }, { commandId: 'c' });
    await expect(execute({ name: 'a' }, { commandId: 'c' })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
      streamId: 'Claim-a',
      commitId: 'c',
    });
    expect(await stored()).toHaveLength(1);
  });

  it('is refused where it was used on one of the other streams', async () => {
    await store.appendToStream('Name-a', [taken('x')], { commitId: 'c' });
    const claims = claimsIn(store, {
      decide: () => [taken('a'), { streamId: 'Name-a', events: [taken('a')] }],
    });
    await expect(claims.execute({ name: 'a' }, { commandId: 'c' })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
      streamId: expect.stringMatching(/-a$/) as unknown,
    });
    expect(await stored()).toEqual(['Name-a Taken']);
  });

  it('counts for its home stream', async () => {
    await claimsIn(store).execute({ name: 'a' }, { commandId: 'c' });
    expect(await claimsIn(store).execute({ name: 'b' }, { commandId: 'c' })).toMatchObject({
      position: 2,
      deduplicated: false,
    });
  });

  it('can not be compared where the command is not JSON, and counts as the same', async () => {
    const odd = { name: 'a', by: 1n } as never;
    await claimsIn(store).execute(odd, { commandId: 'c' });
    expect(await claimsIn(store).execute(odd, { commandId: 'c' })).toMatchObject({ deduplicated: true });
    expect(await claimsIn(store).execute({ name: 'a' }, { commandId: 'c' })).toMatchObject({
      deduplicated: true,
    });
  });

  it('leaves no trace of a command that was rejected or changed nothing, and decides it again', async () => {
    await store.appendToStream('Other-1', [taken('a')]);
    const claims = claimsIn(store);
    await expect(claims.execute({ name: 'a' }, { commandId: 'c' })).rejects.toThrow('a is taken');
    await claimsIn(store, { decide: () => [] }).execute({ name: 'a' }, { commandId: 'c' });
    await store.appendToStream('Other-1', [released('a')]);
    expect(await claims.execute({ name: 'a' }, { commandId: 'c' })).toMatchObject({ deduplicated: false });
  });
});

describe('a decision on a store with schemas', () => {
  const events = defineEvents({
    Taken: {
      schemaVersion: 2,
      schema: z.object({ name: z.string().trim(), by: z.string().default('nobody') }),
      upcast: { 1: ({ name }: { name: string }) => ({ name: name.toLowerCase(), by: 'old' }) },
    },
    Released: { schema: z.object({ name: z.string() }) },
  });

  it('reads present events, and appends and returns what the schemas make of new ones', async () => {
    await store.appendToStream('Other-1', [taken('A', 'a')]);
    const seen: unknown[] = [];
    const { events: decided } = await createDecisionHandler(withEvents(store, events), {
      ...claim,
      evolve: (count: number, { data }: NameEvent) => {
        seen.push(data);
        return count;
      },
      decide: (): Decided<NameEvent> => [taken(' a ', 'a'), { streamId: 'N-1', events: [taken(' b ')] }],
    }).execute({ name: 'a' });

    expect(seen).toEqual([{ name: 'a', by: 'old' }]);
    expect(decided).toMatchObject([
      { data: { name: 'a', by: 'nobody' }, schemaVersion: 2 },
      { data: { name: 'b', by: 'nobody' }, schemaVersion: 2 },
    ]);
    expect((await store.readAll({ after: 1 })).events).toMatchObject([
      { data: { name: 'a', by: 'nobody' } },
      { data: { name: 'b', by: 'nobody' } },
    ]);
  });

  it.each<[string, Decided<NameEvent>, string]>([
    ['of the home stream', [taken(7 as never, 'a')], 'events[0].data.name'],
    [
      'of another stream',
      [taken('a'), { streamId: 'N-1', events: [taken(7 as never, 'a')] }],
      'appends[1].events[0].data.name',
    ],
  ])('stores nothing when an event %s does not fit', async (_of, decided, path) => {
    const claims = claimsIn(withEvents(store, events), { decide: () => decided });
    await expect(claims.execute({ name: 'a' })).rejects.toMatchObject({ code: 'INVALID_EVENT', path });
    expect(await stored()).toEqual([]);
  });
});

describe('a decision is refused', () => {
  it.each<[string, Partial<typeof claim>, RegExp]>([
    ['without a home stream', { home: () => undefined as never }, /stream id must be a string/],
    ['with a home stream that has no name', { home: () => '' }, /stream id is empty/],
    ['without a filter', { filter: () => undefined as never }, /'filter' of the decision 'claim' is missing/],
    ['with an empty list of filters', { filter: () => [] }, /empty list of filters/],
    ['with a filter that is misspelt', { filter: () => ({ tag: ['a'] }) as never }, /no option 'tag'/],
    [
      'with times',
      { filter: () => ({ occurredFrom: '2026-01-01T00:00:00Z' }) },
      /decision 'claim' has times/,
    ],
    [
      'with too many filters',
      { filter: () => Array.from({ length: 101 }, (_, index) => ({ tags: [`${index}`] })) },
      /'claim' has 101 filters; at most 100/,
    ],
    ['that decides no list', { decide: () => taken('a') as never }, /'decide' returned an object/],
  ])('%s', async (_what, decision, message) => {
    const { store: observed, seen } = observeStreams(store);
    await expect(claimsIn(observed, decision).execute({ name: 'a' })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringMatching(message) as unknown,
    });
    expect(seen.appends).toEqual([]);
  });

  it('that changes its state later', async () => {
    await store.appendToStream('Other-1', [taken('a')]);
    const claims = claimsIn(store, { evolve: (async () => 1) as never });
    await expect(claims.execute({ name: 'a' })).rejects.toThrow(
      `'evolve' of the event 'Taken' returned a promise`,
    );
  });

  it('by a store that can not tell up to where its events are complete, also when it would change nothing', async () => {
    const { store: unsettled } = observeStreams(store);
    unsettled.readAll = async (...args) => {
      const { settled: _, ...slice } = await store.readAll(...args);
      return slice as never;
    };
    const claims = claimsIn(unsettled, { decide: () => [] });
    await expect(claims.execute({ name: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('settledPosition') as unknown,
    });
  });

  it.each([{ commandId: '' }, { maxAttempts: 0 }, { metadata: 'x' }, { signal: 1 }, { commitId: 'c' }])(
    'with the options %j',
    async (options) => {
      const execute = claimsIn(store).execute({ name: 'a' }, options as never);
      await expect(execute).rejects.toBeInstanceOf(InvalidArgumentError);
    },
  );

  it.each([{ pageSize: 0 }, { pageBytes: 0 }, { snapshots: true }])('by a handler with %j', (options) => {
    expect(() => createDecisionHandler(store, claim, options as never)).toThrow(InvalidArgumentError);
  });
});

describe('a store whose id is rotated', () => {
  /** Gives the pages from the second on another id. */
  function rotating(): ReturnType<typeof observeStreams> {
    const observed = observeStreams(store);
    observed.store.readAll = async (options) => {
      observed.seen.allReads.push(options ?? {});
      const slice = await store.readAll(options);
      return { ...slice, storeId: observed.seen.allReads.length > 1 ? slice.storeId : 'before' } as never;
    };
    return observed;
  }

  it('is read from the start again: what was read of it may be lost', async () => {
    await store.appendToStream('Other-1', [taken('a'), released('a'), taken('a')]);
    const { store: observed, seen } = rotating();
    const decide = vi.fn(take.decide);
    await createDecisionHandler(observed, { ...take, decide }, { pageSize: 2 }).execute({ name: 'a' });
    expect(seen.allReads.map(({ after }) => after)).toEqual([0, 2, 0, 2]);
    expect(decide).toHaveBeenCalledWith(1, { name: 'a' });
  });

  it('takes no append that was decided before', async () => {
    const { store: observed } = observeStreams(store);
    observed.readAll = async (...args) =>
      ({ ...(await store.readAll(...args)), settled: { position: 0, storeId: 'before' } }) as never;
    await expect(claimsIn(observed).execute({ name: 'a' })).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
    });
  });
});

describe('a decision whose signal aborts', () => {
  const reason = new Error('No longer wanted');

  it('is not begun', async () => {
    const { store: observed, seen } = observeStreams(store);
    const execute = claimsIn(observed).execute({ name: 'a' }, { signal: AbortSignal.abort(reason) });
    await expect(execute).rejects.toBe(reason);
    expect(seen.allReads).toEqual([]);
  });

  it('ends the read, and stores nothing when it aborts while it is decided', async () => {
    const controller = new AbortController();
    const { store: observed, seen } = observeStreams(store);
    const decide: typeof claim.decide = async () => {
      controller.abort(reason);
      return [taken('a')];
    };
    const execute = claimsIn(observed, { decide }).execute({ name: 'a' }, { signal: controller.signal });
    await expect(execute).rejects.toBe(reason);
    expect(seen.allReads).toMatchObject([{ signal: controller.signal }]);
    expect(await stored()).toEqual([]);
  });

  it('ends the pause between two attempts', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const controller = new AbortController();
    const { store: observed, seen } = contended(...Array.from({ length: 99 }, () => taken('a')));
    const execute = createDecisionHandler(observed, take).execute(
      { name: 'a' },
      { signal: controller.signal },
    );
    const outcome = expect(execute).rejects.toBe(reason);
    await vi.advanceTimersByTimeAsync(0);
    controller.abort(reason);
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
    expect(seen.appends).toHaveLength(1);
  });

  it('ends the wait for its turn, and those behind it still wait for those before', async () => {
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const claims = claimsIn(store, {
      decide: async (_, { by = '' }) => {
        order.push(by);
        if (by === 'first') await slow;
        order.push(`${by} decided`);
        return [];
      },
    });
    const controller = new AbortController();
    const first = claims.execute({ name: 'a', by: 'first' });
    const second = claims.execute({ name: 'a', by: 'second' }, { signal: controller.signal });
    const third = claims.execute({ name: 'a', by: 'third' });
    await vi.waitFor(() => {
      expect(order).toEqual(['first']);
    });
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    expect(order).toEqual(['first']);
    finish();
    await Promise.all([first, third]);
    expect(order).toEqual(['first', 'first decided', 'third', 'third decided']);
  });
});

describe('decisions of one process', () => {
  it('take turns when they share the first tag of a filter, each at its first attempt', async () => {
    const pair = (one: string, two: string) => ({
      ...take,
      filter: (): readonly EventFilter<NameEvent['type']>[] => [{ tags: [one] }, { tags: [two] }],
      decide: (): Decided<NameEvent> => [{ ...taken(one), tags: [one, two] }],
    });
    const pairs = [pair('a', 'b'), pair('b', 'a'), pair('b', 'c'), pair('c', 'a'), pair('a', 'a')];
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        createDecisionHandler(store, pairs[index % 5] as typeof take).execute(
          { name: `${index}` },
          { maxAttempts: 1 },
        ),
      ),
    );
    expect(await stored()).toHaveLength(50);
  });

  it('take turns on a filter without tags, too', async () => {
    const count = { ...take, filter: (): EventFilter<NameEvent['type']> => ({ types: ['Taken'] }) };
    const execute = (_: unknown, index: number): Promise<unknown> =>
      createDecisionHandler(store, count).execute({ name: `${index}` }, { maxAttempts: 1 });
    await Promise.all(Array.from({ length: 20 }, execute));
    expect(await stored()).toHaveLength(20);
  });

  it('wait for no other tag', async () => {
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const claims = claimsIn(store, {
      decide: async (_, { name }) => {
        if (name === 'slow') await slow;
        return [taken(name)];
      },
    });
    const first = claims.execute({ name: 'slow' });
    await claims.execute({ name: 'a' });
    expect(await stored()).toEqual(['Claim-a Taken']);
    finish();
    await first;
  });
});

describe('a decision inside another', () => {
  it('is refused with the same home stream', async () => {
    const outer = claimsIn(store, {
      decide: async () => (await claimsIn(store).execute({ name: 'a' })).events ?? [],
    });
    await expect(outer.execute({ name: 'a' })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining(`'Claim-a'`) as unknown,
    });
    expect(await stored()).toEqual([]);
  });

  it('waits for nobody who may wait for it', async () => {
    let arrived = 0;
    let meet: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (meet = resolve));
    const nesting = (other: string): typeof claim => ({
      ...claim,
      decide: async (_, { name }) => {
        if (++arrived === 2) meet();
        await both;
        const command = { name: `${other}-in-${name}` };
        await claimsIn(store, { filter: () => ({ tags: [other] }), decide: take.decide }).execute(command, {
          commandId: name,
        });
        return [taken(name)];
      },
    });
    await Promise.all([
      createDecisionHandler(store, nesting('b')).execute({ name: 'a' }),
      createDecisionHandler(store, nesting('a')).execute({ name: 'b' }),
    ]);
    expect([...(await stored())].sort()).toEqual([
      'Claim-a Taken',
      'Claim-a-in-b Taken',
      'Claim-b Taken',
      'Claim-b-in-a Taken',
    ]);
  });
});
