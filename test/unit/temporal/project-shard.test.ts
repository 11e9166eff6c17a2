import fc from 'fast-check';
import {
  defineEvents,
  defineProjection,
  EventTooNewError,
  OwnershipLostError,
  UnsafeReadError,
  withEvents,
  type DomainEvent,
  type EventRegistry,
  type EventStore,
  type EventToAppend,
  type Projection,
  type ProjectionSink,
  type ShardKey,
} from 'temporal-event-store';
import { MemoryCheckpointStore, MemoryEventStore, MemoryProjectionSink } from 'temporal-event-store/memory';
import { describe, expect, it, vi } from 'vitest';
import { shardOf } from '../../../src/core/projections/shard-of.js';
import type { ReactionPort } from '../../../src/core/reactions/consequences.js';
import { CheckpointSink } from '../../../src/temporal/activities/projections/checkpoint-sink.js';
import { EndWatch } from '../../../src/temporal/activities/projections/end-watch.js';
import {
  projectShard,
  type ShardOutcome,
  type ShardRun,
} from '../../../src/temporal/activities/projections/project-shard.js';
import { openToEnd } from './open-to-end.js';

type Happened = DomainEvent<'Happened', { readonly isPoison: boolean }>;
/** The versions that were applied of each stream, in the order in which they were. */
type Model = Map<string, number[]>;

type Step =
  | { readonly kind: 'append'; readonly stream: string; readonly poison: readonly boolean[] }
  | { readonly kind: 'run'; readonly shard: number; readonly interruption: Interruption; readonly at: number }
  | { readonly kind: 'mend' }
  | { readonly kind: 'decide'; readonly action: 'retry' | 'skip'; readonly which: number };

/** What happens to a run, at one of its calls of a handler or at one of its commits. */
type Interruption = (typeof interruptions)[number];
const interruptions = ['none', 'abort', 'rival', 'fence', 'lost before commit', 'lost after commit'] as const;

const streams = ['Account-1', 'Account-2', 'Account-3', 'Payment-1', 'Payment-2'];
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        stream: fc.constantFrom(...streams),
        poison: fc.array(
          fc.nat({ max: 9 }).map((one) => one === 0),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('run' as const),
        shard: fc.nat({ max: 2 }),
        interruption: fc.constantFrom(...interruptions),
        at: fc.integer({ min: 1, max: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('mend' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('decide' as const),
        action: fc.constantFrom('retry' as const, 'skip' as const),
        which: fc.nat(),
      }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

const settings = fc.record({
  pageSize: fc.integer({ min: 1, max: 6 }),
  // Of events of some 20 bytes.
  pageBytes: fc.constantFrom(1, 50, 1_000),
  shards: fc.integer({ min: 1, max: 3 }),
  onPoison: fc.constantFrom('stop' as const, 'park' as const),
});

class Lost extends Error {}

/** A projection, to which steps are done; what it has made of them is checked by each test. */
class Rehearsal<Context> {
  readonly store = new MemoryEventStore();
  readonly sink: ProjectionSink<Context>;
  readonly projection: Projection<Happened, Context>;
  readonly skipped = new Set<string>();
  readonly #mended = new Set<string>();
  readonly #blocked = new Map<number, { readonly storeId: string; readonly position: number }>();
  readonly #running = new Set<number>();
  #onCall = (): void => undefined;
  build = 0;

  constructor(
    sink: ProjectionSink<Context>,
    { shards, ...rest }: Pick<Projection, 'pageSize' | 'pageBytes' | 'shards' | 'onPoison'>,
    apply: (streamId: string, version: number, context: Context) => void,
  ) {
    this.sink = sink;
    this.projection = defineProjection<Happened, Context>({
      name: 'rehearsed',
      sink,
      shards,
      maxAttempts: 1,
      ...rest,
      handlers: {
        Happened: async ({ id, streamId, version, data }, context) => {
          const shard = shardOf(streamId, shards);
          // Owners of a shard take turns.
          expect(this.#running.has(shard)).toBe(false);
          this.#running.add(shard);
          try {
            this.#onCall();
            await Promise.resolve();
            if (data.isPoison && !this.#mended.has(id)) throw new Error('poison');
            apply(streamId, version, context);
          } finally {
            this.#running.delete(shard);
          }
        },
      },
    });
  }

  async open(): Promise<void> {
    const { name, version, shards: shards } = this.projection;
    const [live] = await this.sink.open({ name, version, shards }, undefined);
    this.build = live?.build ?? 0;
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'append') {
      const events = step.poison.map((isPoison): Happened => ({ type: 'Happened', data: { isPoison } }));
      await this.store.appendToStream<Happened>(step.stream, events);
    } else if (step.kind === 'mend') {
      for (const { id } of await this.events()) this.#mended.add(id);
    } else if (step.kind === 'decide') {
      await this.#decide(step.action, step.which);
    } else {
      await this.run(step.shard % this.projection.shards, step.interruption, step.at);
    }
  }

  /** Mends all, and applies it. */
  async finish(): Promise<void> {
    await this.do({ kind: 'mend' });
    for (let shard = 0; shard < this.projection.shards; shard++) {
      expect(await this.run(shard, 'none', 0)).toMatchObject({ kind: 'reached' });
    }
    while ((await this.waiting()).length > 0) {
      for (let which = (await this.waiting()).length; which > 0; which--) {
        await this.#decide('retry', which - 1);
      }
      for (let shard = 0; shard < this.projection.shards; shard++) await this.run(shard, 'none', 0);
    }
  }

  async run(shard: number, interruption: Interruption, at: number): Promise<ShardOutcome | undefined> {
    const controller = new AbortController();
    const besides: Promise<unknown>[] = [];
    let calls = 0;
    this.#onCall = () => {
      if (++calls !== at) return;
      if (interruption === 'abort') controller.abort(new Lost());
      if (interruption === 'rival') besides.push(this.#project(shard, this.sink));
      if (interruption === 'fence') besides.push(this.sink.fence(this.projection.name));
    };
    try {
      return await this.#project(shard, this.#losing(interruption, at), controller.signal);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      return undefined;
    } finally {
      await Promise.all(besides);
    }
  }

  async events(): Promise<
    readonly {
      readonly id: string;
      readonly streamId: string;
      readonly version: number;
      readonly position: number;
    }[]
  > {
    return (await this.store.readAll({ limit: 1_000 })).events;
  }

  /** Of a stream, without those that an operator has skipped. */
  async wanted(streamId: string): Promise<readonly number[]> {
    const events = await this.events();
    return events
      .filter((event) => event.streamId === streamId && !this.skipped.has(event.id))
      .map(({ version }) => version);
  }

  /** Events that were parked, or stopped the projection. */
  async waiting(): ReturnType<ProjectionSink<Context>['parked']> {
    const parked = await this.sink.parked(this.projection.name, this.build, 1_000);
    return parked.filter(({ status }) => status !== 'skipped');
  }

  async #project(
    shard: number,
    sink: ProjectionSink<Context>,
    signal = new AbortController().signal,
  ): Promise<ShardOutcome> {
    const outcome = await projectShard({
      store: this.store,
      projection: this.projection,
      sink,
      shard: this.#key(shard),
      shards: this.projection.shards,
      until: 'end',
      duration: 60_000,
      signal,
      onProgress: () => undefined,
      onDelay: () => undefined,
    });
    if (outcome.kind === 'blocked') {
      const { storeId, failure } = outcome;
      this.#blocked.set(shard, { storeId, position: failure.event.position });
    }
    return outcome;
  }

  async #decide(action: 'retry' | 'skip', which: number): Promise<void> {
    const waiting = await this.waiting();
    const found = waiting[which % waiting.length];
    if (found === undefined) return;
    const { id: eventId, streamId } = found.event;
    const shard = shardOf(streamId, this.projection.shards);
    const checkpoint = this.#blocked.get(shard);
    const isDecided = await this.sink.decide(
      this.projection.name,
      this.build,
      action === 'retry'
        ? { action, eventId }
        : {
            action,
            eventId,
            operator: 'Ann',
            reason: 'a test',
            ...(checkpoint !== undefined && { blockedAt: { shard, checkpoint } }),
          },
    );
    expect(isDecided).toBe(true);
    if (action === 'skip') this.skipped.add(eventId);
  }

  /** The sink as it looks to one whose connection breaks at a commit. */
  #losing(interruption: Interruption, at: number): ProjectionSink<Context> {
    const { sink } = this;
    let commits = 0;
    const commit: typeof sink.commit = async (...args) => {
      const isLast = ++commits === at;
      if (isLast && interruption === 'lost before commit') throw new Lost();
      await sink.commit(...args);
      if (isLast && interruption === 'lost after commit') throw new Lost();
    };
    const acquire: typeof sink.acquire = (key) => sink.acquire(key);
    const reportStop: typeof sink.reportStop = (...args) => sink.reportStop(...args);
    const nextRetried: typeof sink.nextRetried = (...args) => sink.nextRetried(...args);
    return { acquire, commit, reportStop, nextRetried } as ProjectionSink<Context>;
  }

  #key(shard: number): ShardKey {
    return { name: this.projection.name, build: this.build, shard };
  }
}

it('makes of any events, faults and decisions a read model that is their fold', { timeout: 60_000 }, () =>
  fc.assert(
    fc.asyncProperty(settings, steps, async (how, script) => {
      const sink = new MemoryProjectionSink<Model>(() => new Map());
      const rehearsal = new Rehearsal<Model>(sink, how, (streamId, version, model) => {
        model.set(streamId, [...(model.get(streamId) ?? []), version]);
      });
      await rehearsal.open();
      for (const step of script) {
        await rehearsal.do(step);
        await check(rehearsal, sink);
      }
      await rehearsal.finish();
      const expected = new Map<string, readonly number[]>();
      for (const streamId of streams) {
        const wanted = await rehearsal.wanted(streamId);
        if (wanted.length > 0) expected.set(streamId, wanted);
      }
      expect(sink.model('rehearsed')).toEqual(expected);
    }),
    { numRuns: 200 },
  ),
);

/** At any moment. */
async function check(rehearsal: Rehearsal<Model>, sink: MemoryProjectionSink<Model>): Promise<void> {
  const model = sink.model('rehearsed') as Model;
  for (const streamId of streams) {
    const applied = model.get(streamId) ?? [];
    expect(applied).toEqual((await rehearsal.wanted(streamId)).slice(0, applied.length));
  }
  const [live] = await sink.open({ name: 'rehearsed', version: 1, shards: 1 }, undefined);
  const waiting = new Set((await rehearsal.waiting()).map(({ event }) => event.id));
  for (const { id, streamId, version, position } of await rehearsal.events()) {
    const isApplied = model.get(streamId)?.includes(version) ?? false;
    const { checkpoint } = live?.progress[shardOf(streamId, rehearsal.projection.shards)] ?? {};
    const isPassed = position <= (checkpoint?.position ?? 0);
    if (isApplied) expect(waiting.has(id) || rehearsal.skipped.has(id)).toBe(false);
    else if (isPassed) expect(waiting.has(id) || rehearsal.skipped.has(id)).toBe(true);
  }
}

const noConsequences: ReactionPort = {
  startWorkflow: () => Promise.reject(new Error('No reaction takes part.')),
  sendCommand: () => Promise.reject(new Error('No reaction takes part.')),
};

it(
  'calls handlers without a sink with each event, in order, and again after a fault',
  { timeout: 60_000 },
  () =>
    fc.assert(
      fc.asyncProperty(settings, steps, async (how, script) => {
        const calls: Model = new Map();
        const sink = new CheckpointSink(new MemoryCheckpointStore(), noConsequences);
        const rehearsal = new Rehearsal<ReactionPort>(
          sink,
          { ...how, onPoison: 'stop' },
          (streamId, version) => {
            calls.set(streamId, [...(calls.get(streamId) ?? []), version]);
          },
        );
        await rehearsal.open();
        for (const step of script) await rehearsal.do(step);
        await rehearsal.finish();
        for (const streamId of streams) {
          const seen = new Set<number>();
          const applied = calls.get(streamId) ?? [];
          const wanted = await rehearsal.wanted(streamId);
          for (const [index, version] of applied.entries()) {
            // One after the other, or again from an earlier one on.
            const isNext = wanted.indexOf(version) <= wanted.indexOf(applied[index - 1] ?? 0) + 1;
            expect(isNext, `${streamId}: ${applied.join()}`).toBe(true);
            seen.add(version);
          }
          expect([...seen]).toEqual(wanted);
        }
      }),
      { numRuns: 200 },
    ),
);

it('waits for the primary when a standby answers, as for a store that is away', async () => {
  const store = new MemoryEventStore();
  const sink = new MemoryProjectionSink<Model>(() => new Map());
  const projection = defineProjection<Happened, Model>({
    name: 'waiting',
    sink,
    handlers: { Happened: () => undefined },
  });
  const [live] = await sink.open({ name: 'waiting', version: 1, shards: 1 }, undefined);
  store.readAll = () => Promise.reject(new UnsafeReadError('This server is a standby'));

  const run = projectShard({
    store,
    projection: projection as Projection<never>,
    sink: sink,
    shard: { name: 'waiting', build: live?.build ?? 0, shard: 0 },
    shards: 1,
    duration: 1_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onDelay: () => undefined,
  });

  await expect(run).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    nonRetryable: false,
    message: 'This server is a standby',
  });
});

it('gives each of two projections that share a page events of its own', async () => {
  const store = new MemoryEventStore();
  await store.appendToStream('A-1', [{ type: 'Happened', data: { count: 1 } }]);
  const useCounting = (name: string) => {
    const sink = new MemoryProjectionSink<number[]>(() => []);
    const projection = defineProjection<DomainEvent<'Happened', { count: number }>, number[]>({
      name,
      sink,
      handlers: { Happened: ({ data }, counts) => void counts.push(data.count++) },
    });
    return openToEnd(store, projection as Projection<never>, sink).then(({ run }) => ({ sink, run }));
  };
  const [first, second] = [await useCounting('first'), await useCounting('second')];
  const readAll = vi.spyOn(store, 'readAll');
  await Promise.all([first.run(), second.run()]);
  expect(readAll.mock.calls.length).toBe(1);
  expect([first.sink.model('first'), second.sink.model('second')]).toEqual([[1], [1]]);
});

describe('a handler that reads a store', () => {
  const fields = { streamId: 'A-1', version: 1, eventType: 'Paid', schemaVersion: 2, knownSchemaVersion: 1 };

  async function useReading(first: Error) {
    const store = new MemoryEventStore();
    await store.appendToStream('A-1', [{ type: 'Happened', data: {} }]);
    const sink = new MemoryProjectionSink<string[]>(() => []);
    let calls = 0;
    const projection = defineProjection<DomainEvent, string[]>({
      name: 'reading',
      sink,
      maxAttempts: 1,
      onPoison: 'park',
      handlers: {
        Happened: ({ streamId }, applied) => {
          if (++calls <= 2) throw first;
          applied.push(streamId);
        },
      },
    });
    return { sink, ...(await openToEnd(store, projection as Projection<never>, sink)) };
  }

  it('is not to blame for a standby that answers', async () => {
    const { sink, run, parked } = await useReading(new UnsafeReadError('This server is a standby'));
    expect(await run()).toEqual({ kind: 'reached' });
    expect(await parked()).toEqual([]);
    expect(sink.model('reading')).toEqual(['A-1']);
  });

  it('leaves to others what a newer release has written there', async () => {
    const { sink, run, parked } = await useReading(new EventTooNewError('Deploy the newer release.', fields));
    await expect(run()).rejects.toMatchObject({
      type: 'temporal-event-store.UnknownHere',
      message: 'Deploy the newer release.',
      nonRetryable: false,
    });
    expect(await parked()).toMatchObject([{ status: 'blocking', event: { position: 1 } }]);
    expect(await run()).toEqual({ kind: 'reached' });
    expect(await parked()).toEqual([]);
    expect(sink.model('reading')).toEqual(['A-1']);
  });
});

describe('an event that cannot be decoded', () => {
  const upcasting = (upcast: (data: object) => object) =>
    defineEvents({ Paid: { schemaVersion: 2, upcast: { 1: upcast } } });
  const brokenEvents = upcasting((data) => {
    if ('broken' in data) throw new TypeError('no such field');
    return { ...data, currency: 'EUR' };
  });
  const mendedEvents = upcasting((data) => ({ ...data, currency: 'EUR' }));

  async function useBroken(onPoison: 'stop' | 'park') {
    const memory = new MemoryEventStore();
    const sink = new MemoryProjectionSink<string[]>(() => []);
    const projection = defineProjection<DomainEvent, string[]>({
      name: 'paid',
      sink,
      onPoison,
      handlers: {
        Paid: ({ streamId, version, data }, applied) =>
          applied.push(`${streamId}@${version} ${JSON.stringify(data)}`),
      },
    });
    await memory.appendToStream('A-1', [{ type: 'Paid', data: {} }]);
    await memory.appendToStream('A-2', [{ type: 'Paid', data: { broken: true } }]);
    await memory.appendToStream('A-1', [{ type: 'Paid', data: {} }]);
    const [live] = await sink.open({ name: 'paid', version: 1, shards: 1 }, undefined);
    const build = live?.build ?? 0;
    const run = (events: EventRegistry, pace?: ShardRun['pace']): Promise<ShardOutcome> =>
      projectShard({
        store: withEvents(memory, events),
        projection: projection as Projection<never>,
        sink,
        shard: { name: 'paid', build, shard: 0 },
        shards: 1,
        ...(pace === undefined ? { until: 'end' } : { pace }),
        duration: 60_000,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onDelay: () => undefined,
      });
    const decide = async (action: 'retry' | 'skip'): Promise<boolean> => {
      const [event] = await sink.parked('paid', build, 10);
      const by = { operator: 'Ann', reason: 'a test' };
      return sink.decide('paid', build, { action, eventId: event?.event.id ?? '', ...by });
    };
    const append = (event: EventToAppend) => memory.appendToStream('A-1', [event]);
    return { sink, run, decide, append, parked: () => sink.parked('paid', build, 10) };
  }
  const error = expect.stringContaining(
    "can't be upcast from schemaVersion 1: TypeError: no such field",
  ) as string;
  const before = ['A-1@1 {"currency":"EUR"}'];
  const behind = 'A-1@2 {"currency":"EUR"}';
  const mended = 'A-2@1 {"broken":true,"currency":"EUR"}';

  it('blocks, after what comes before it is applied, and goes through once it can be', async () => {
    const { sink, run, decide, parked } = await useBroken('stop');
    expect(await run(brokenEvents)).toMatchObject({
      kind: 'blocked',
      failure: { event: { position: 2 }, error, attempts: 1 },
    });
    expect(sink.model('paid')).toEqual(before);
    expect(await parked()).toMatchObject([{ status: 'blocking', error }]);
    await decide('retry');
    expect(await run(mendedEvents)).toEqual({ kind: 'reached' });
    expect(sink.model('paid')).toEqual([...before, mended, behind]);
    expect(await parked()).toEqual([]);
  });

  it('can be skipped', async () => {
    const { sink, run, decide } = await useBroken('stop');
    await run(brokenEvents);
    await decide('skip');
    expect(await run(brokenEvents)).toEqual({ kind: 'reached' });
    expect(sink.model('paid')).toEqual([...before, behind]);
  });

  it('is parked as it is stored, and decoded again when it is tried again', async () => {
    const { sink, run, decide, parked } = await useBroken('park');
    expect(await run(brokenEvents)).toEqual({ kind: 'reached' });
    expect(sink.model('paid')).toEqual([...before, behind]);
    expect(await parked()).toMatchObject([{ status: 'parked', error }]);
    await decide('retry');
    await run(brokenEvents);
    expect(await parked()).toMatchObject([{ status: 'parked', error }]);
    await decide('retry');
    await run(mendedEvents);
    expect(sink.model('paid')).toEqual([...before, behind, mended]);
  });

  it.each(['stop', 'park'] as const)(
    'because it is newer is left to others, with %s too',
    async (onPoison) => {
      const { sink, run, parked, append } = await useBroken(onPoison);
      await append({ type: 'Paid', schemaVersion: 3, data: { amount: 1 } });
      const error = await run(mendedEvents).catch((e: unknown) => e);
      expect(error).toMatchObject({ type: 'temporal-event-store.UnknownHere', nonRetryable: false });
      expect(await run(mendedEvents, { kind: 'idle', busyAfter: 60_000 })).toEqual({
        kind: 'paused',
        pace: 'busy',
      });
      expect(sink.model('paid')).toEqual([...before, mended, behind]);
      expect(await parked()).toMatchObject([{ status: 'blocking', event: { position: 4 } }]);
      const third = defineEvents({
        Paid: { schemaVersion: 3, upcast: { 1: (data: object) => data, 2: (data: object) => data } },
      });
      expect(await run(third)).toEqual({ kind: 'reached' });
      expect(sink.model('paid')).toHaveLength(4);
      expect(await parked()).toEqual([]);
    },
  );
});

describe('the pace of a shard', () => {
  const longTime = 60_000;

  async function usePaces({
    shards = 1,
    pageSize = 100,
    onHappened = (): void | Promise<void> => undefined,
  } = {}) {
    const store = new MemoryEventStore();
    const sink = new MemoryProjectionSink<string[]>(() => []);
    const projection = defineProjection<DomainEvent, string[]>({
      name: 'paced',
      sink,
      shards,
      pageSize,
      maxAttempts: 2,
      handlers: {
        Happened: async ({ streamId, version }, applied) => {
          await onHappened();
          applied.push(`${streamId}@${version}`);
        },
      },
    });
    const [live] = await sink.open({ name: 'paced', version: 1, shards: shards }, undefined);
    const build = live?.build ?? 0;
    const end = new AbortController();
    const run = (pace: NonNullable<ShardRun['pace']>, shard = 0): Promise<ShardOutcome> =>
      projectShard({
        store,
        projection: projection as Projection<never>,
        sink,
        shard: { name: 'paced', build, shard },
        shards: shards,
        pace,
        duration: longTime,
        signal: end.signal,
        onProgress: () => undefined,
        onDelay: () => undefined,
      });
    const append = (streamId: string, type = 'Happened') =>
      store.appendToStream(streamId, [{ type, data: {} }]);
    const position = async (): Promise<number | undefined> =>
      (await sink.open({ name: 'paced', version: 1, shards: shards }, undefined))[0]?.progress[0]?.checkpoint
        ?.position;
    return { store, sink, run, append, position, end };
  }

  it('is busy until it had no event of its own for a while', async () => {
    const { sink, run, append } = await usePaces();
    await append('A-1');
    expect(await run({ kind: 'busy', idleAfter: 50 })).toEqual({ kind: 'paused', pace: 'idle' });
    expect(sink.model('paced')).toEqual(['A-1@1']);
  });

  it('is busy again when events of its own keep coming, which it has applied by then', async () => {
    const { sink, run, append } = await usePaces({ shards: 2 });
    const shard = shardOf('A-1', 2);
    const other = ['A-2', 'A-3', 'A-4', 'A-5'].find((stream) => shardOf(stream, 2) !== shard) ?? '';
    const running = run({ kind: 'idle', busyAfter: 100 }, shard);
    let isOver = false;
    const over = running.finally(() => {
      isOver = true;
    });
    await append(other);
    await append('A-1', 'SomethingElse');
    let appended = 1;
    for (; !isOver; appended++) {
      await append('A-1');
      await expect.poll(() => sink.model('paced')?.length, { interval: 5 }).toBe(appended);
    }
    expect(await over).toEqual({ kind: 'paused', pace: 'busy' });
    expect(appended).toBeGreaterThan(2);
  });

  it('is busy again at once with more than a page', async () => {
    const { run, append } = await usePaces({ pageSize: 2 });
    for (let index = 0; index < 5; index++) await append('A-1');
    expect(await run({ kind: 'idle', busyAfter: longTime })).toEqual({ kind: 'paused', pace: 'busy' });
  });

  it('applies what was appended after its last page was read ahead, when others have seen it', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { store, sink, run, append, end } = await usePaces({ pageSize: 2, onHappened: () => held });
    for (let index = 0; index < 3; index++) await append('A-1');
    const readAll = vi.spyOn(store, 'readAll');
    const running = run({ kind: 'busy', idleAfter: longTime });
    await expect.poll(() => readAll.mock.calls.some(([options]) => options?.after === 2)).toBe(true);
    await append('A-1');
    // Another shard, which waits at the end that the page has.
    await new Promise<void>((resolve) => {
      EndWatch.of(store).wait(3, resolve);
    });
    goOn();
    await expect.poll(() => sink.model('paced')?.at(-1), { timeout: 3_000 }).toBe('A-1@4');
    end.abort(new OwnershipLostError({ name: 'paced', build: 1, shard: 0 }));
    expect(await running).toEqual({ kind: 'fenced' });
  });

  it('stays idle while events of others pass, and its checkpoint follows', async () => {
    const { run, append, position, end } = await usePaces();
    const running = run({ kind: 'idle', busyAfter: longTime });
    for (const expected of [1, 2, 3]) {
      await append('A-1', 'SomethingElse');
      await expect.poll(position, { timeout: 10_000 }).toBe(expected);
    }
    end.abort(new OwnershipLostError({ name: 'paced', build: 1, shard: 0 }));
    expect(await running).toEqual({ kind: 'fenced' });
  });

  it('leaves to the busy one what fails, before it is tried again', async () => {
    let calls = 0;
    const { run, append } = await usePaces({
      onHappened: () => {
        calls++;
        throw new Error('not now');
      },
    });
    const running = run({ kind: 'idle', busyAfter: longTime });
    await append('A-1');
    expect(await running).toEqual({ kind: 'paused', pace: 'busy' });
    expect(calls).toBe(1);
    expect(await run({ kind: 'busy', idleAfter: longTime })).toMatchObject({ kind: 'blocked' });
  });
});

describe('a primary that is lost', () => {
  /** A projection of a store that can be another behind the same id. */
  async function useFailover(type = 'Happened') {
    const before = new MemoryEventStore();
    const { storeId } = await before.readAll();
    let primary = before;
    const store = {
      readAll: async <E extends DomainEvent>(options: Parameters<EventStore['readAll']>[0]) => ({
        ...(await primary.readAll<E>(options)),
        storeId,
      }),
    } as unknown as EventStore;
    const sink = new MemoryProjectionSink<string[]>(() => []);
    const projection = defineProjection<DomainEvent, string[]>({
      name: 'read',
      sink,
      handlers: { Happened: ({ streamId, version }, applied) => applied.push(`${streamId}@${version}`) },
    });
    const [live] = await sink.open({ name: 'read', version: 1, shards: 1 }, undefined);
    const run = (until?: 'end'): Promise<ShardOutcome> =>
      projectShard({
        store,
        projection: projection as Projection<never>,
        sink,
        shard: { name: 'read', build: live?.build ?? 0, shard: 0 },
        shards: 1,
        until,
        duration: 60_000,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onDelay: () => undefined,
      });
    const fill = async (to: MemoryEventStore, stream: string, count: number): Promise<void> => {
      await to.appendToStream(
        stream,
        Array.from({ length: count }, () => ({ type, data: {} })),
      );
    };
    await fill(before, 'A-1', 3);
    const promote = async (count: number): Promise<void> => {
      const standby = new MemoryEventStore();
      await fill(standby, 'B-1', count);
      primary = standby;
    };
    return { store, sink, run, promote };
  }
  const refused = { code: 'POSITION_AHEAD_OF_STORE' };

  it.each([2, 3, 9])('with its last events is noticed by who takes over, at an end of %s', async (count) => {
    const { sink, run, promote } = await useFailover();
    expect(await run('end')).toEqual({ kind: 'reached' });
    await promote(count);
    await expect(run('end')).rejects.toMatchObject(refused);
    expect(sink.model('read')).toEqual(['A-1@1', 'A-1@2', 'A-1@3']);
  });

  it.each(['Happened', 'SomethingElse'])(
    'is noticed by who waits at its end, the last event being %s',
    async (type) => {
      const { store, sink, run, promote } = await useFailover(type);
      const running = run().catch((error: unknown) => error);
      const position = async () =>
        (await sink.open({ name: 'read', version: 1, shards: 1 }, undefined))[0]?.progress[0]?.lastSeen
          ?.position;
      if (type === 'Happened') await expect.poll(position).toBe(3);
      await expect.poll(() => EndWatch.of(store).end).toBe(3);
      await promote(9);
      expect(await running).toMatchObject({
        ...refused,
        message: expect.stringContaining('rotateStoreId()') as string,
      });
    },
  );
});
