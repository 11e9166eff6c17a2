import { getEventListeners } from 'node:events';
import {
  StoreUnavailableError,
  subscribe,
  UnsafeReadError,
  type EventStore,
  type RecordedEvent,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { deposited } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

let store: MemoryEventStore;

beforeEach(async () => {
  store = new MemoryEventStore();
  await store.appendToStream('Account-1', [1, 2, 3].map(deposited));
});

/** Long enough that a test which waits for it fails. */
const aMinute = 60_000;

async function versionsOf(events: AsyncIterable<RecordedEvent>): Promise<number[]> {
  const versions: number[] = [];
  for await (const event of events) versions.push(event.version);
  return versions;
}

describe('a subscription', () => {
  it('begins after the position that it is given', async () => {
    const events = subscribe(store, { after: 2 });
    expect(await events.next()).toMatchObject({ value: { version: 3 } });
  });

  it('waits at the end for what comes', async () => {
    const events = subscribe(store, { after: 3, pollInterval: 1 });
    const next = events.next();
    await store.appendToStream('Account-1', [deposited(4)]);
    expect(await next).toMatchObject({ value: { version: 4 }, done: false });
  });

  it('waits for nothing between two pages', async () => {
    const events = subscribe(store, { limit: 1, pollInterval: aMinute });
    for (const version of [1, 2, 3]) expect(await events.next()).toMatchObject({ value: { version } });
  });

  it.each([
    ['every 250 ms', 250, false],
    ['every second where the store calls when something is appended', 1_000, true],
  ])('looks for new events %s', async (_how, interval, calls) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store: observed } = observe(store);
    const readAll = vi.spyOn(observed, 'readAll');
    // It never does call, so that only the time counts.
    if (calls) Object.assign(observed, { onAppend: () => () => undefined });
    const controller = new AbortController();
    const next = subscribe(observed, { after: 3, signal: controller.signal }).next();
    await vi.advanceTimersByTimeAsync(interval - 1);
    expect(readAll).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(readAll).toHaveBeenCalledTimes(2);
    controller.abort();
    await next;
  });

  it('moves on over what its filter leaves out', async () => {
    const { store: observed } = observe(store);
    const readAll = vi.spyOn(observed, 'readAll');
    const events = subscribe(observed, { filter: { types: ['Captured'] }, pollInterval: 1 });
    const next = events.next();
    await vi.waitUntil(() => readAll.mock.calls.length > 1);
    await store.appendToStream('Payment-1', [{ type: 'Captured', data: {} }]);

    expect(await next).toMatchObject({ value: { streamId: 'Payment-1' } });
    expect(readAll.mock.calls[1]?.[0]).toMatchObject({ after: 3 });
  });

  it('ends at once when its signal aborts while it waits', async () => {
    const controller = new AbortController();
    const events = subscribe(store, { after: 3, signal: controller.signal, pollInterval: aMinute });
    const next = events.next();
    await vi.waitUntil(() => hasListener(controller.signal));
    controller.abort();
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it('ends at once when its signal aborts while its last event is handled', async () => {
    const controller = new AbortController();
    const versions: number[] = [];
    for await (const event of subscribe(store, { signal: controller.signal, pollInterval: aMinute })) {
      versions.push(event.version);
      if (event.version === 3) controller.abort();
    }
    expect(versions).toEqual([1, 2, 3]);
  });

  it('ends in the middle of a page when its signal aborts', async () => {
    const controller = new AbortController();
    const versions: number[] = [];
    for await (const event of subscribe(store, { signal: controller.signal })) {
      versions.push(event.version);
      controller.abort();
    }
    expect(versions).toEqual([1]);
  });

  it('ends quietly when its signal aborts while it reads', async () => {
    const controller = new AbortController();
    const aborted: EventStore = {
      ...observe(store).store,
      readAll: (options) => {
        controller.abort(new Error('enough'));
        return store.readAll(options);
      },
    };
    expect(await versionsOf(subscribe(aborted, { signal: controller.signal }))).toEqual([]);
  });

  it('has nothing when its signal is aborted before it begins', async () => {
    expect(await versionsOf(subscribe(store, { signal: AbortSignal.abort() }))).toEqual([]);
  });

  it('leaves no listener on its signal', async () => {
    const controller = new AbortController();
    const events = subscribe(store, { signal: controller.signal, pollInterval: 1, after: 2 });
    await events.next();
    const next = events.next();
    await vi.waitUntil(() => hasListener(controller.signal));
    await store.appendToStream('Account-1', [deposited(4)]);
    await next;
    await events.return();
    expect(hasListener(controller.signal)).toBe(false);
  });

  it('passes on an error of the store', async () => {
    const broken = new Error('Disk full');
    const failing: EventStore = { ...observe(store).store, readAll: () => Promise.reject(broken) };
    await expect(versionsOf(subscribe(failing))).rejects.toBe(broken);
  });

  describe('of a store that is away', () => {
    const away = { STORE_UNAVAILABLE: StoreUnavailableError, UNSAFE_READ: UnsafeReadError };

    /** Throws these after its first answer, one after the other. */
    const failing = (...errors: readonly Error[]): EventStore => {
      let reads = 0;
      return {
        ...observe(store).store,
        readAll: (options) => {
          const error = errors[reads++ - 1];
          return error === undefined ? store.readAll(options) : Promise.reject(error);
        },
      };
    };

    it.each(Object.entries(away))('goes on when it is back after %s', async (_code, AwayError) => {
      const gone = Array.from({ length: 3 }, () => new AwayError('gone'));
      const events = subscribe(failing(...gone), { after: 2, pollInterval: 1 });
      await events.next();
      await store.appendToStream('Account-1', [deposited(4)]);

      expect(await events.next()).toMatchObject({ value: { version: 4 } });
    });

    it.each([
      ['shorter', 2],
      ['longer', 5],
    ])(
      'and has lost the last event that was given is refused, also when it is %s by now',
      async (_how, count) => {
        const standby = new MemoryEventStore();
        await standby.appendToStream(
          'Account-2',
          Array.from({ length: count }, () => deposited(1)),
        );
        const { storeId } = await store.readAll();
        let reads = 0;
        const promoted: EventStore = {
          ...observe(store).store,
          readAll: async (options) => {
            if (++reads === 1) return store.readAll(options);
            if (reads === 2) throw new StoreUnavailableError('gone');
            return { ...(await standby.readAll(options)), storeId };
          },
        };
        const events = subscribe(promoted, { after: 2, pollInterval: 1 });
        await events.next();

        await expect(events.next()).rejects.toMatchObject({ code: 'POSITION_AHEAD_OF_STORE' });
      },
    );

    it('throws its error when it was away for too long', async () => {
      const gone = Array.from({ length: 10 }, (_, index) => new StoreUnavailableError(`gone ${index}`));
      const events = subscribe(failing(...gone), { after: 2, pollInterval: 2, retryTimeout: 6 });
      await events.next();

      // After pauses of 2 and 4 ms.
      await expect(events.next()).rejects.toThrow('gone 2');
    });

    it('throws the error of its first look at once', async () => {
      const gone = new StoreUnavailableError('gone');
      const never: EventStore = { ...observe(store).store, readAll: () => Promise.reject(gone) };
      await expect(subscribe(never, { pollInterval: aMinute }).next()).rejects.toBe(gone);
    });

    it('ends at once when its signal aborts meanwhile', async () => {
      const controller = new AbortController();
      const gone = Array.from({ length: 3 }, () => new StoreUnavailableError('gone'));
      const { signal } = controller;
      const { store: observed } = observe(failing(...gone));
      const readAll = vi.spyOn(observed, 'readAll');
      const events = subscribe(observed, { after: 2, pollInterval: aMinute, signal });
      await events.next();
      const next = events.next();
      controller.abort();
      expect(await next).toEqual({ value: undefined, done: true });
      expect(readAll).toHaveBeenCalledTimes(1);
    });
  });

  it('refuses to go on when another store has taken the place of its own', async () => {
    const restored = new MemoryEventStore();
    await restored.appendToStream('Account-1', [1, 2, 3, 4].map(deposited));
    let current: EventStore = store;
    const moving: EventStore = { ...observe(store).store, readAll: (options) => current.readAll(options) };
    const events = subscribe(moving, { pollInterval: 1, limit: 2 });
    await events.next();
    await events.next();
    current = restored;

    await expect(events.next()).rejects.toMatchObject({
      code: 'POSITION_AHEAD_OF_STORE',
      position: 2,
      storeId: (await restored.readAll()).storeId,
      message: expect.stringContaining((await store.readAll()).storeId) as unknown,
    });
  });

  it.each([
    { pollInterval: 0 },
    { retryTimeout: -1 },
    { after: -1 },
    { limit: 0 },
    { direction: 'backward' },
    { from: 1 },
    { filter: [] },
  ])('refuses the options %j', async (options) => {
    await expect(subscribe(store, options as never).next()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

function hasListener(signal: AbortSignal): boolean {
  return getEventListeners(signal, 'abort').length > 0;
}
