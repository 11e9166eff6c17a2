import { defineEvents, withEvents, type EventStore } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { storedReadsOf } from '../../../src/core/store/read/stored-reads.js';

const second = defineEvents({ Paid: { schemaVersion: 2, upcast: { 1: () => ({ upcast: 1 }) } } });
const broken = defineEvents({
  Paid: {
    schemaVersion: 2,
    upcast: {
      1: () => {
        throw new Error('no such field');
      },
    },
  },
});

async function usePaid(): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  await store.appendToStream('Payment-1', [{ type: 'Paid', data: {} }]);
  return store;
}

async function readBoth(store: EventStore): Promise<unknown> {
  const { readAll, decode } = storedReadsOf(store);
  const { events } = await readAll();
  return { stored: events.map(({ data }) => data), decoded: events.map((event) => decode(event).data) };
}

describe('the reads of a store in two steps', () => {
  it('give events as they are stored, and as they are read', async () => {
    const memory = await usePaid();
    const plain = { stored: [{}], decoded: [{}] };
    const upcast = { stored: [{}], decoded: [{ upcast: 1 }] };
    expect(await readBoth(memory)).toEqual(plain);
    expect(await readBoth(cachingEventStore(memory))).toEqual(plain);
    expect(await readBoth(withEvents(memory, second))).toEqual(upcast);
    expect(await readBoth(cachingEventStore(withEvents(memory, second)))).toEqual(upcast);
    expect(await readBoth(withEvents(cachingEventStore(memory), second))).toEqual(upcast);
    const copy: EventStore = { ...withEvents(memory, second) };
    expect(await readBoth(copy)).toEqual(upcast);
  });

  it('give what can be read beside what cannot', async () => {
    const store = withEvents(await usePaid(), broken);
    await expect(store.readAll()).rejects.toMatchObject({ code: 'INVALID_EVENT' });
    const { readAll, decode } = storedReadsOf(cachingEventStore(store));
    const [event] = (await readAll()).events;
    expect(event?.data).toEqual({});
    expect(() => decode(event as never)).toThrow(
      /can't be upcast from schemaVersion 1: Error: no such field/,
    );
  });

  it('go through a decorator that reads in a way of its own, in front or behind', async () => {
    const memory = await usePaid();
    const decrypted = (inner: EventStore): EventStore => ({
      ...inner,
      appendToStream: (...args) => inner.appendToStream(...args),
      readStream: (...args) => inner.readStream(...args),
      findCommit: (...args) => inner.findCommit(...args),
      readAll: async <E extends never>(...args: Parameters<EventStore['readAll']>) => {
        const slice = await inner.readAll<E>(...args);
        return {
          ...slice,
          events: slice.events.map((event) => ({ ...event, metadata: { decrypted: true } })),
        };
      },
    });
    const inFront = storedReadsOf(decrypted(withEvents(memory, second)));
    const [first] = (await inFront.readAll()).events;
    expect(first).toMatchObject({ data: { upcast: 1 }, metadata: { decrypted: true } });
    expect(inFront.decode(first as never)).toBe(first);
    const behind = storedReadsOf(withEvents(decrypted(memory), second));
    const [other] = (await behind.readAll()).events;
    expect(other).toMatchObject({ data: {}, metadata: { decrypted: true } });
    expect(behind.decode(other as never)).toMatchObject({
      data: { upcast: 1 },
      metadata: { decrypted: true },
    });
  });
});
