import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { expect, it, onTestFinished, vi } from 'vitest';

const open = {
  memory: () => Promise.resolve(new MemoryEventStore()),
  pglite: async () => {
    const store = await PGliteEventStore.open();
    onTestFinished(() => store.close());
    return store;
  },
};

it.each(['memory', 'pglite'] as const)(
  'an append is answered, and other listeners are called, where a listener throws: %s',
  async (kind) => {
    const store = await open[kind]();
    const other = vi.fn();
    const end = store.onAppend(() => {
      throw new Error('The listener is broken.');
    });
    store.onAppend(other);
    const { version } = await store.appendToStream('Payment-1', [{ type: 'Paid', data: {} }]);
    expect([version, other.mock.calls.length]).toEqual([1, 1]);
    end();
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: {} }]);
    expect(other).toHaveBeenCalledTimes(2);
  },
);
