import type { EventStore } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { deposited } from '../fixtures/account.js';
import { observe } from '../fixtures/observed-store.js';

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
});
