import { Readable } from 'node:stream';
import {
  defineEvents,
  iterateAll,
  iterateStream,
  subscribe,
  withEvents,
  type EventStore,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { deposited } from '../fixtures/account.js';

/** Long enough that a test which waits for it fails. */
const aMinute = 60_000;
const done = { value: undefined, done: true };

class CountedStore extends MemoryEventStore {
  listeners = 0;
  reads = 0;

  override onAppend(listener: () => void): () => void {
    this.listeners++;
    const stop = super.onAppend(listener);
    return () => {
      this.listeners--;
      stop();
    };
  }

  override readAll: MemoryEventStore['readAll'] = (...args) => {
    this.reads++;
    return super.readAll(...args);
  };
}

const events = defineEvents({});

describe.each([
  ['a store', (store: CountedStore): EventStore => store],
  ['withEvents', (store: CountedStore): EventStore => withEvents(store, events)],
  ['cachingEventStore', (store: CountedStore): EventStore => cachingEventStore(store)],
  [
    'both',
    (store: CountedStore): EventStore => withEvents(cachingEventStore(withEvents(store, events)), events),
  ],
])('a subscription to %s that waits', (_name, decorate) => {
  it.each(['return', 'throw'] as const)('ends at once by %s, and leaves nothing behind', async (method) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = new CountedStore();
    const subscription = subscribe(decorate(store), { pollInterval: aMinute });
    const next = subscription.next();
    await vi.waitUntil(() => vi.getTimerCount() > 0);
    expect(store.listeners).toBe(1);

    await subscription[method](new Error('enough')).catch(() => undefined);

    expect(await next).toEqual(done);
    expect(vi.getTimerCount()).toBe(0);
    expect(store.listeners).toBe(0);
    const reads = store.reads;
    await store.appendToStream('Account-1', [deposited(1)]);
    await vi.advanceTimersByTimeAsync(2 * aMinute);
    expect(store.reads).toBe(reads);
    expect(await subscription.next()).toEqual(done);
  });

  it('closes with the stream that is made of it', async () => {
    const store = new CountedStore();
    const stream = Readable.from(subscribe(decorate(store), { pollInterval: aMinute }));
    stream.on('data', () => undefined);
    await vi.waitUntil(() => store.reads > 0);
    const closed = new Promise((resolve) => stream.on('close', resolve));

    stream.destroy();

    await closed;
    expect(store.listeners).toBe(0);
  });
});

describe('a subscription', () => {
  it('asks for nothing, and listens to nothing, when it is given up before it begins', async () => {
    const store = new CountedStore();
    const subscription = subscribe(store);
    expect(await subscription.return()).toEqual(done);
    expect(await subscription.next()).toEqual(done);
    expect(store).toMatchObject({ listeners: 0, reads: 0 });
  });

  it('stops listening after an error of the store', async () => {
    const store = new CountedStore();
    store.readAll = () => Promise.reject(new Error('Disk full'));
    await expect(subscribe(store).next()).rejects.toThrow('Disk full');
    expect(store.listeners).toBe(0);
  });

  it('goes on after many looks that found nothing', async () => {
    const store = new CountedStore();
    const subscription = subscribe(store, { pollInterval: 1 });
    const next = subscription.next();
    await vi.waitUntil(() => store.reads > 20);
    await store.appendToStream('Account-1', [deposited(1)]);
    expect(await next).toMatchObject({ value: { version: 1 } });
    await subscription.return();
  });
});

describe.each([
  ['subscribe', (store: EventStore, options: object) => subscribe(store, options)],
  ['iterateAll', (store: EventStore, options: object) => iterateAll(store, options)],
  ['iterateStream', (store: EventStore, options: object) => iterateStream(store, 'Account-1', options)],
])('%s, given up while its store gives no answer', (_name, read) => {
  function hanging(): { store: EventStore; signals: AbortSignal[] } {
    const signals: AbortSignal[] = [];
    const hang = (options: { signal?: AbortSignal } = {}): Promise<never> => {
      signals.push(options.signal as AbortSignal);
      return new Promise(() => undefined);
    };
    const inner = new MemoryEventStore();
    const store: EventStore = {
      appendToStream: inner.appendToStream.bind(inner),
      readStream: (_streamId, options) => hang(options),
      readAll: (options) => hang(options),
      findCommit: inner.findCommit.bind(inner),
    };
    return { store, signals };
  }

  it('ends at once, and tells the store so', async () => {
    const { store, signals } = hanging();
    const events = read(store, {});
    const asked = [events.next(), events.next()];
    await vi.waitUntil(() => signals.length > 0);

    expect(await events.return()).toEqual(done);

    expect(await Promise.all(asked)).toEqual([done, done]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('tells the store when the signal of its caller aborts', async () => {
    const { store, signals } = hanging();
    const controller = new AbortController();
    const events = read(store, { signal: controller.signal });
    void events.next();
    await vi.waitUntil(() => signals.length > 0);

    controller.abort(new Error('enough'));

    expect(signals[0]?.reason).toMatchObject({ message: 'enough' });
    await events.return();
  });
});
