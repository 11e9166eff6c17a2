import { MemoryEventStore } from 'temporal-event-store/memory';
import {
  describeEventStore,
  type ConformanceOptions,
  type StoreUnderTest,
} from 'temporal-event-store/testing';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

interface Declared {
  readonly name: string;
  readonly run: () => Promise<void>;
  readonly limit: number;
}

function declared(
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  options: Partial<ConformanceOptions> = {},
): readonly Declared[] {
  const cases: Declared[] = [];
  describeEventStore('a store', createStore, {
    describe: (_name, define) => {
      define();
    },
    it: (name, run, limit) => cases.push({ name, run, limit }),
    expect,
    ...options,
  });
  return cases;
}

const named = (cases: readonly Declared[], name: string): Declared =>
  cases.find((each) => each.name === name)!;

const never = (): Promise<never> => new Promise(() => undefined);

/** A store that is asked one thing more than memory can answer. */
function storeWith(methods: Partial<StoreUnderTest>): StoreUnderTest {
  const store = new MemoryEventStore();
  return {
    appendToStream: (...args) => store.appendToStream(...args),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    findCommit: (...args) => store.findCommit(...args),
    ...methods,
  };
}

describe('a case of the conformance suite', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  });

  it('ends after five seconds when its store never answers', async () => {
    const cases = declared(() => storeWith({ readStream: never }));
    const failure = expect(named(cases, 'keeps every part of an event').run()).rejects.toThrow(
      /^readStream\("\w+-1"\) has not answered within the 5000 ms of the case\.$/,
    );
    await vi.advanceTimersByTimeAsync(5_000);
    await failure;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when its store is never there', async () => {
    const [first] = declared(never, { timeout: 100 });
    const failure = expect(first!.run()).rejects.toThrow('createStore() has not answered within the 100 ms');
    await vi.advanceTimersByTimeAsync(100);
    await failure;
  });

  it('fails with what a store throws when it is made', async () => {
    const [first] = declared(() => {
      throw new Error('No database');
    });
    await expect(first!.run()).rejects.toThrow('No database');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says that there was no answer, also where it expects an error', async () => {
    const cases = declared(() => storeWith({ appendToStream: never }));
    const failure = expect(named(cases, 'refuses NaN with its path').run()).rejects.toThrow(
      'appendToStream("',
    );
    await vi.advanceTimersByTimeAsync(5_000);
    await failure;
  });

  it('asks its store nothing more once it is over', async () => {
    let calls = 0;
    const store = new MemoryEventStore();
    const cases = declared(() =>
      storeWith({
        appendToStream: (...args) => store.appendToStream(...args),
        readAll: async (options = {}) => {
          calls++;
          const { after = 0, ...others } = options;
          const slice = await store.readAll<never>({ ...others, after: Math.min(after, 2) });
          return { ...slice, events: slice.events.slice(0, 2 - after), position: 2, isEnd: true };
        },
      }),
    );
    const name = 'gets the events that are there and those that come, and ends when its signal aborts';
    const failure = expect(named(cases, name).run()).rejects.toThrow(/waited 5000 ms for what did not come/);
    await vi.advanceTimersByTimeAsync(5_000);
    await failure;
    const atTheEnd = calls;
    expect(atTheEnd).toBeGreaterThan(10);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(calls).toBe(atTheEnd);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('runs on a store that is frozen, and leaves no timer behind', async () => {
    const cases = declared(() => Object.freeze(storeWith({})));
    await named(cases, 'keeps every part of an event').run();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives the test runner a limit that comes after its own', () => {
    const store = (): StoreUnderTest => new MemoryEventStore();
    expect(new Set(declared(store).map(({ limit }) => limit))).toEqual(new Set([10_000]));
    expect(declared(store, { timeout: 30_000 })[0]?.limit).toBe(60_000);
  });

  it('refuses a timeout that is none', () => {
    expect(() => declared(() => new MemoryEventStore(), { timeout: 0 })).toThrow(
      "The option 'timeout' of describeEventStore must be an integer from 1, not 0.",
    );
  });
});
