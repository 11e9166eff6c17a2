import {
  InvalidArgumentError,
  iterateStream,
  type EventStore,
  type RecordedEvent,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deposited, type Deposited } from '../fixtures/account.js';
import { observe, type Observations } from '../fixtures/observed-store.js';

let store: MemoryEventStore;

beforeEach(async () => {
  store = new MemoryEventStore();
  await store.appendToStream('Account-1', [1, 2, 3].map(deposited));
  await store.appendToStream('Account-2', [4, 5].map(deposited));
});

function cache(options = {}): {
  readonly cached: ReturnType<typeof cachingEventStore>;
  readonly seen: Observations;
} {
  const { store: observed, seen } = observe(store);
  return { cached: cachingEventStore(observed, options), seen };
}

/** How many events each read of the store under the cache returned. */
function loads(seen: Observations): number[] {
  return seen.streamReads.map((read) => read.events);
}

describe('a cached stream', () => {
  it('is read from the store once, and then only its last event and its tail', async () => {
    const { cached, seen } = cache();
    await cached.readStream('Account-1');
    await cached.readStream('Account-1');
    await cached.appendToStream('Account-1', [4, 5].map(deposited));
    const slice = await cached.readStream('Account-1');

    expect(loads(seen)).toEqual([3, 1, 3]);
    expect(slice).toEqual(await store.readStream('Account-1'));
  });

  it('is never stale: what others append to the store is read too', async () => {
    const { cached } = cache();
    await cached.readStream('Account-1');
    await store.appendToStream('Account-1', [deposited(9)]);
    expect(await cached.readStream('Account-1')).toEqual(await store.readStream('Account-1'));
  });

  it('is read anew when the store was restored and has grown on past it', async () => {
    let inner = store;
    const cached = cachingEventStore<EventStore>({
      appendToStream: (...args) => inner.appendToStream(...args),
      readStream: (...args) => inner.readStream(...args),
      readAll: (...args) => inner.readAll(...args),
      findCommit: (...args) => inner.findCommit(...args),
    });
    await cached.readStream('Account-1');
    inner = new MemoryEventStore();
    await inner.appendToStream('Account-1', [7, 8, 9, 10].map(deposited));

    expect(await cached.readStream('Account-1')).toEqual(await inner.readStream('Account-1'));
  });

  it('is read to its end from a store whose pages are as short as one event', async () => {
    const short: EventStore = {
      appendToStream: (...args) => store.appendToStream(...args),
      readStream: (streamId, options) => store.readStream(streamId, { ...options, limit: 1 }),
      readAll: (...args) => store.readAll(...args),
      findCommit: (...args) => store.findCommit(...args),
    };
    const cached = cachingEventStore(short);
    for (let round = 0; round < 3; round++) {
      const versions: number[] = [];
      for await (const event of iterateStream(cached, 'Account-1')) versions.push(event.version);
      expect(versions).toEqual([1, 2, 3]);
    }
  });

  it('grows page by page', async () => {
    const { cached, seen } = cache();
    await cached.readStream('Account-1', { limit: 2 });
    await cached.readStream('Account-1', { limit: 2, fromVersion: 3 });
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([2, 2, 1]);
  });

  it('grows by pages of one event', async () => {
    const { cached, seen } = cache();
    for (const fromVersion of [1, 2, 3]) {
      const { events } = await cached.readStream('Account-1', { limit: 1, fromVersion });
      expect(events.map(({ version }) => version)).toEqual([fromVersion]);
    }
    await cached.readStream('Account-1');
    // Each with the last event that was known.
    expect(loads(seen)).toEqual([1, 2, 2, 1]);
  });

  it('is read with the signal of the reader', async () => {
    const { cached, seen } = cache();
    const { signal } = new AbortController();
    await cached.readStream('Account-1', { signal });
    await cached.readStream('Account-1');
    expect(seen.streamReads.map(({ options }) => 'signal' in options && options.signal)).toEqual([
      signal,
      false,
    ]);
  });

  it('stays as long as it is when a slower reader has seen less of it', async () => {
    let release = (): void => undefined;
    const { store: observed, seen } = observe(store);
    let isSlow = true;
    const cached = cachingEventStore({
      ...observed,
      readStream: async (...args) => {
        const slice = await observed.readStream(...args);
        if (isSlow) {
          isSlow = false;
          await new Promise<void>((resolve) => (release = resolve));
        }
        return slice;
      },
    });
    const slow = cached.readStream('Account-1');
    await vi.waitUntil(() => !isSlow);
    await store.appendToStream('Account-1', [deposited(4)]);
    await cached.readStream('Account-1');
    release();
    expect((await slow).version).toBe(3);
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 4, 1]);
  });

  it.each([
    [{}, 1],
    [{ fromVersion: 2 }, 1],
    [{ toVersion: 2 }, 1],
    [{ limit: 1 }, 1],
    [{ fromVersion: 4 }, 1],
    [{ direction: 'backward' }, 3],
    [{ fromVersion: 9 }, 0],
  ] as const)('answers %j as the store does', async (options, loaded) => {
    const { cached, seen } = cache();
    await cached.readStream('Account-1');
    expect(await cached.readStream('Account-1', options)).toEqual(
      await store.readStream('Account-1', options),
    );
    expect(loads(seen)).toEqual([3, loaded]);
  });

  it('does not change when a reader changes what it got', async () => {
    const { cached } = cache();
    const expected = await store.readStream('Account-1');
    for (let read = 1; read <= 3; read++) {
      const { events } = await cached.readStream<Deposited>('Account-1');
      for (const event of events) Object.assign(event.data, { amount: -1 });
      (events as RecordedEvent[]).length = 0;
    }
    expect(await cached.readStream('Account-1')).toEqual(expected);
  });

  it('is read anew when the store went back, say to a restored backup', async () => {
    const restored = new MemoryEventStore();
    await restored.appendToStream('Account-1', [7, 8].map(deposited));
    let current = store;
    const cached = cachingEventStore({
      ...observe(store).store,
      readStream: (...args) => current.readStream(...args),
    });
    await cached.readStream('Account-1');
    current = restored;

    expect(await cached.readStream('Account-1')).toEqual(await restored.readStream('Account-1'));
    expect(await cached.readStream('Account-1', { fromVersion: 2 })).toEqual(
      await restored.readStream('Account-1', { fromVersion: 2 }),
    );
  });

  it('is kept anew after the store went back', async () => {
    const restored = new MemoryEventStore();
    await restored.appendToStream('Account-1', [7, 8].map(deposited));
    const { store: observed, seen } = observe(restored);
    let current: EventStore = store;
    const cached = cachingEventStore<EventStore>({
      ...observed,
      readStream: (...args) => current.readStream(...args),
    });
    await cached.readStream('Account-1');
    current = observed;
    for (let read = 1; read <= 3; read++) await cached.readStream('Account-1');
    // Nothing where the last event was, all of it, all of it to be kept, its last event.
    expect(loads(seen)).toEqual([0, 2, 2, 1]);
  });

  it('is not remembered for streams that do not exist', async () => {
    const { cached } = cache();
    expect(await cached.readStream('Account-3')).toMatchObject({ version: 0, events: [] });
    await store.appendToStream('Account-3', [deposited(1)]);
    expect(await cached.readStream('Account-3')).toMatchObject({ version: 1, events: [{ version: 1 }] });
  });

  it('is the same for readers at the same time', async () => {
    const { cached } = cache();
    const expected = await store.readStream('Account-1');
    const slices = await Promise.all(Array.from({ length: 5 }, () => cached.readStream('Account-1')));
    expect(slices).toEqual(slices.map(() => expected));
    expect(await cached.readStream('Account-1')).toEqual(expected);
  });
});

describe('a cache', () => {
  it.each([
    ['streams, by max', { max: 1 }],
    // One of these events is some 350 characters long, of two bytes each.
    ['bytes, by maxBytes', { maxBytes: 2400 }],
  ])('keeps as many %s as it is told, and those read last', async (_what, options) => {
    const { cached, seen } = cache(options);
    await cached.readStream('Account-1');
    await cached.readStream('Account-2');
    await cached.readStream('Account-2');
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 2, 1, 3]);
  });

  it('keeps a stream that was pushed out while its tail was read', async () => {
    let meanwhile = async (): Promise<unknown> => undefined;
    const { store: observed, seen } = observe(store, { read: () => meanwhile() });
    const cached = cachingEventStore(observed, { max: 1 });
    await cached.readStream('Account-1');
    await store.appendToStream('Account-1', [deposited(4)]);
    meanwhile = async () => {
      meanwhile = async () => undefined;
      await cached.readStream('Account-2');
    };
    await cached.readStream('Account-1');
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 2, 2, 1]);
  });

  it('does not keep a stream that is larger than all that it may keep', async () => {
    const { cached, seen } = cache({ maxBytes: 100 });
    await cached.readStream('Account-1');
    expect(await cached.readStream('Account-1')).toEqual(await store.readStream('Account-1'));
    expect(loads(seen)).toEqual([3, 3]);
  });

  it.each([{ max: 0 }, { ttl: 0 }, { maxBytes: 1.5 }, { size: 1 }])('refuses the options %j', (options) => {
    expect(() => cachingEventStore(store, options as never)).toThrow(InvalidArgumentError);
  });
});

describe('a cache with a ttl', () => {
  let now = 1000;

  // The cache reads this clock, at most once in a millisecond by a timer.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  function pass(milliseconds: number): void {
    now += milliseconds;
    vi.advanceTimersByTime(milliseconds);
  }

  it('forgets a stream when its time is over', async () => {
    const { cached, seen } = cache({ ttl: 1000 });
    await cached.readStream('Account-1');
    pass(999);
    await cached.readStream('Account-1');
    pass(2);
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 1, 3]);
  });

  it('counts from when a stream was read in full, not from when its tail was', async () => {
    const { cached, seen } = cache({ ttl: 1000 });
    await cached.readStream('Account-1');
    pass(600);
    await store.appendToStream('Account-1', [deposited(4)]);
    await cached.readStream('Account-1');
    pass(600);
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 2, 4]);
  });

  it.each([
    ['over while its tail is read', 400],
    ['over to the millisecond', 399],
  ])('forgets a stream whose time is %s', async (_what, delay) => {
    let isSlow = false;
    const { store: observed, seen } = observe(store, {
      read: async () => {
        if (isSlow) pass(delay);
      },
    });
    const cached = cachingEventStore(observed, { ttl: 1000 });
    await cached.readStream('Account-1');
    await store.appendToStream('Account-1', [deposited(4)]);
    pass(601);
    isSlow = true;
    await cached.readStream('Account-1');
    isSlow = false;
    pass(5000);
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 2, 4]);
  });

  it('forgets a stream that was pushed out while its tail was read, in its time', async () => {
    let meanwhile = async (): Promise<unknown> => undefined;
    const { store: observed, seen } = observe(store, { read: () => meanwhile() });
    const cached = cachingEventStore(observed, { ttl: 1000, max: 1 });
    await cached.readStream('Account-1');
    await store.appendToStream('Account-1', [deposited(4)]);
    meanwhile = async () => {
      meanwhile = async () => undefined;
      await cached.readStream('Account-2');
    };
    await cached.readStream('Account-1');
    pass(5000);
    await cached.readStream('Account-1');
    expect(loads(seen)).toEqual([3, 2, 2, 4]);
  });
});
