import { defineEvents, withEvents, type EventStore } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { innermostOf } from '../../../src/core/store/decorated-store.js';
import { deposited } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

const events = defineEvents({
  Deposited: {
    schemaVersion: 2,
    upcast: { 1: (data: { amount: number }) => ({ ...data, currency: 'USD' }) },
  },
});

const secret = Symbol('secret');

/** A store with more than the four methods: of its own, of its class, on a getter, by a symbol, private. */
class RichStore extends MemoryEventStore {
  readonly region = 'eu';
  visits = 0;
  readonly #name: string;
  readonly #parent: RichStore | undefined;

  constructor(name = 'main', parent?: RichStore) {
    super();
    this.#name = name;
    this.#parent = parent;
  }

  get name(): string {
    return this.#name;
  }

  set note(note: string) {
    this.#notes.push(note);
  }

  get notes(): readonly string[] {
    return this.#notes;
  }

  readonly #notes: string[] = [];

  greet(whom: string): string {
    this.visits++;
    return `${this.#name} greets ${whom}`;
  }

  inTransaction(): RichStore {
    return new RichStore(`${this.#name} in a transaction`, this);
  }

  async forTenant(tenant: string): Promise<RichStore> {
    return new RichStore(tenant, this);
  }

  parent(): RichStore | undefined {
    return this.#parent;
  }

  close(): Promise<string> {
    return Promise.resolve(`${this.#name} is closed`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.visits = -1;
    return Promise.resolve();
  }

  [secret](): string {
    return this.#name;
  }
}

const nestings: readonly [string, (store: RichStore) => RichStore][] = [
  ['withEvents', (store) => withEvents(store, events) as unknown as RichStore],
  ['cachingEventStore', (store) => cachingEventStore(store) as RichStore],
  [
    'withEvents around a cache',
    (store) => withEvents(cachingEventStore(store), events) as unknown as RichStore,
  ],
  [
    'a cache around withEvents',
    (store) => cachingEventStore(withEvents(store, events)) as unknown as RichStore,
  ],
  [
    'withEvents around withEvents',
    (store) => withEvents(withEvents(store, defineEvents({ Deposited: {} })), events) as unknown as RichStore,
  ],
];

describe.each(nestings)('a store decorated by %s', (name, decorate) => {
  const upcasts = name !== 'cachingEventStore';

  it('has all that the one inside has', async () => {
    const inner = new RichStore();
    const store = decorate(inner);
    expect([store.region, store.name, store.greet('Ann'), store[secret]()]).toEqual([
      'eu',
      'main',
      'main greets Ann',
      'main',
    ]);
    expect([store.visits, inner.visits]).toEqual([1, 1]);
    expect(await store.close()).toBe('main is closed');
    await store[Symbol.asyncDispose]();
    expect(inner.visits).toBe(-1);
    expect(store.snapshots).toBe(inner.snapshots);
    expect(store.checkpoints).toBe(inner.checkpoints);
    expect((await store.statistics()).total).toBe(0);
    expect(await store.trends({ interval: 'day' })).toEqual([]);
  });

  it('shares what changes with the one inside', () => {
    const inner = new RichStore();
    const store = decorate(inner);
    store.visits = 7;
    store.note = 'hello';
    inner.visits++;
    expect([store.visits, store.notes, inner.notes]).toEqual([8, ['hello'], ['hello']]);
  });

  it('gives stores that are decorated like itself', async () => {
    const store = decorate(new RichStore());
    for (const other of [
      store.inTransaction(),
      await store.forTenant('north'),
      store.inTransaction().parent()!,
    ]) {
      await (innermostOf(other) as EventStore).appendToStream('Account-1', [deposited(1)]);
      const [event] = (await other.readStream('Account-1')).events;
      expect(event?.data).toEqual(upcasts ? { amount: 1, currency: 'USD' } : { amount: 1 });
    }
    expect(store.parent()).toBe(undefined);
  });

  it('keeps all of it when somebody spreads it', async () => {
    const inner = new RichStore();
    // eslint-disable-next-line @typescript-eslint/no-misused-spread -- that it loses nothing is the question
    const spread = { ...decorate(inner) } as RichStore;
    expect([spread.region, spread.greet('Ann'), spread[secret]()]).toEqual(['eu', 'main greets Ann', 'main']);
    expect(innermostOf(spread)).toBe(inner);
    await inner.appendToStream('Account-1', [deposited(1)]);
    expect((await spread.readStream('Account-1')).events).toHaveLength(1);
  });
});

describe('a store around another', () => {
  it('tells of appends to the one inside', async () => {
    const inner = new MemoryEventStore();
    const store = cachingEventStore(inner);
    let calls = 0;
    const end = store.onAppend(() => calls++);
    await inner.appendToStream('Account-1', [deposited(1)]);
    end();
    await inner.appendToStream('Account-1', [deposited(2)]);
    expect(calls).toBe(1);
  });

  it.each([true, false])('reads ahead when the one inside says so: %s', (readsAhead) => {
    const inner: EventStore & { readonly readsAhead: boolean } = {
      ...observe(new MemoryEventStore()).store,
      readsAhead,
    };
    expect(cachingEventStore(inner).readsAhead).toBe(readsAhead);
  });

  it('has no capability that the one inside lacks', () => {
    const { store } = observe(new MemoryEventStore());
    expect(Object.keys(cachingEventStore(store)).sort()).toEqual(Object.keys(store).sort());
  });

  it('can be around one that is a proxy', async () => {
    const inner = new Proxy(new RichStore(), {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      },
    });
    const store = withEvents(inner, events);
    expect([store.name, store.greet('Ann')]).toEqual(['main', 'main greets Ann']);
    await store.appendToStream('Account-1', [{ type: 'Deposited', data: { amount: 1 } }]);
  });
});
