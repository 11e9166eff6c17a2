import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  defineEvents,
  iterateAll,
  iterateStream,
  subscribe,
  withEvents,
  type EventStore,
  type InferEvents,
  type RecordedEvent,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const paymentEvents = defineEvents({
  Captured: {
    schemaVersion: 3,
    schema: z.object({ money: z.object({ cents: z.number(), currency: z.string() }) }),
    upcast: {
      1: (data: { amount: number }) => ({ ...data, currency: 'EUR' }),
      2: ({ amount, currency }: { amount: number; currency: string }, event) => ({
        money: { cents: Math.round(amount * 100), currency },
        from: `${event.streamId}@${event.version}`,
      }),
    },
  },
});
type PaymentEvent = InferEvents<typeof paymentEvents>;

let inner: MemoryEventStore;
let store: EventStore;

/** One event of each shape that there ever was, and one that the registry does not list. */
beforeEach(async () => {
  inner = new MemoryEventStore();
  store = withEvents(inner, paymentEvents);
  await inner.appendToStream('Payment-1', [
    { type: 'Captured', data: { amount: 1.5 } },
    { type: 'Captured', data: { amount: 2, currency: 'USD' }, schemaVersion: 2 },
    { type: 'Captured', data: { money: { cents: 300, currency: 'CHF' } }, schemaVersion: 3 },
    { type: 'Unlisted', data: { any: 'thing' }, schemaVersion: 7 },
  ]);
});

const present = [
  { schemaVersion: 3, data: { money: { cents: 150, currency: 'EUR' }, from: 'Payment-1@1' } },
  { schemaVersion: 3, data: { money: { cents: 200, currency: 'USD' }, from: 'Payment-1@2' } },
  { schemaVersion: 3, data: { money: { cents: 300, currency: 'CHF' } } },
  { schemaVersion: 7, data: { any: 'thing' } },
];

async function take(events: AsyncIterable<RecordedEvent>, count: number): Promise<RecordedEvent[]> {
  const taken: RecordedEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

describe('a store with events', () => {
  it.each<[string, (from: EventStore) => Promise<readonly RecordedEvent[]>]>([
    ['readStream', async (from) => (await from.readStream('Payment-1')).events],
    ['readAll', async (from) => (await from.readAll()).events],
    ['iterateStream', (from) => take(iterateStream(from, 'Payment-1', { limit: 1 }), 4)],
    ['iterateAll', (from) => take(iterateAll(from, { limit: 3 }), 4)],
    ['subscribe', (from) => take(subscribe(from), 4)],
    [
      'readStream backwards',
      async (from) => [...(await from.readStream('Payment-1', { direction: 'backward' })).events].reverse(),
    ],
  ])('gives every event in its present shape to %s, and the rest of it untouched', async (_how, read) => {
    const stored = await read(inner);
    expect(await read(store)).toEqual(stored.map((event, index) => ({ ...event, ...present[index] })));
  });

  it('gives slices as the store does, in all but the events', async () => {
    const slices = async (from: EventStore): Promise<unknown[]> =>
      [await from.readStream('Payment-1', { limit: 2 }), await from.readAll({ limit: 2 })].map((slice) => ({
        ...slice,
        events: slice.events.length,
      }));
    expect(await slices(store)).toEqual(await slices(inner));
  });

  it('gives aggregates present events only', async () => {
    class Payment extends AggregateRoot<PaymentEvent> {
      static readonly category = 'Payment';
      cents = 0;
      protected apply(event: PaymentEvent): void {
        if (event.type === 'Captured') this.cents += event.data.money.cents;
      }
    }
    expect(await new AggregateRepository(store, Payment).load('1')).toMatchObject({ version: 4, cents: 650 });
  });

  it('gives deciders present events only', async () => {
    const seen: unknown[] = [];
    const payments = createCommandHandler(store, {
      category: 'Payment',
      initialState: () => 0,
      evolve: (state: number, event: PaymentEvent) => {
        seen.push(event.data);
        return state;
      },
      decide: () => [],
    });
    await payments.execute('1', { type: 'Nothing', data: null });
    expect(seen).toEqual(present.map(({ data }) => data));
  });

  it('upcasts the same stored event anew at each read', async () => {
    await store.readStream('Payment-1');
    expect((await store.readStream('Payment-1', { limit: 1 })).events).toMatchObject([present[0]]);
    expect((await inner.readStream('Payment-1', { limit: 1 })).events).toMatchObject([
      { data: { amount: 1.5 } },
    ]);
  });

  it('refuses to read an event that is newer than what it knows', async () => {
    await inner.appendToStream('Payment-2', [{ type: 'Captured', data: {}, schemaVersion: 4 }]);
    const error = {
      code: 'EVENT_TOO_NEW',
      streamId: 'Payment-2',
      version: 1,
      eventType: 'Captured',
      schemaVersion: 4,
      knownSchemaVersion: 3,
      message: expect.stringMatching(
        /'Captured' in 'Payment-2', version 1, has schemaVersion 4.* up to 3/,
      ) as unknown,
    };
    await expect(store.readStream('Payment-2')).rejects.toMatchObject(error);
    await expect(store.readAll()).rejects.toMatchObject(error);
    await expect(take(subscribe(store), 9)).rejects.toMatchObject(error);
  });

  it('says which event an upcaster failed on, and why', async () => {
    const defect = new TypeError('No amount');
    const broken = defineEvents({
      Captured: {
        schemaVersion: 3,
        upcast: {
          1: (data: unknown) => data,
          2: () => {
            throw defect;
          },
        },
      },
    });
    await expect(withEvents(inner, broken).readStream('Payment-1')).rejects.toMatchObject({
      code: 'INVALID_EVENT',
      path: 'data',
      message: expect.stringMatching(
        /'Captured' in 'Payment-1', version 1, .*schemaVersion 2: .*No amount/,
      ) as unknown,
      cause: defect,
    });
  });

  it('takes a repeat of a commit that an older version of the service stored for another', async () => {
    const first = { type: 'Captured', data: { amount: 1 }, schemaVersion: 1 };
    await inner.appendToStream('Payment-2', [first], { commitId: 'c' });
    const now = { type: 'Captured', data: { money: { cents: 100, currency: 'EUR' } } };
    await expect(store.appendToStream('Payment-2', [now], { commitId: 'c' })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
    });
  });
});
