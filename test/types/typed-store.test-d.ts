/* eslint-disable @typescript-eslint/no-misused-spread -- what comes of it is the question */
import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  defineEvents,
  defineProjection,
  definePublisher,
  defineReaction,
  iterateAll,
  iterateStream,
  mergeEvents,
  subscribe,
  withEvents,
  type AnyProjection,
  type Decider,
  type DomainEvent,
  type EventRegistry,
  type EventsIn,
  type EventStore,
  type InferEvents,
  type RecordedEvent,
  type StreamSlice,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import type { PgClient, PostgresEventStore } from 'temporal-event-store/postgres';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

type Paid = DomainEvent<'Paid', { amount: number; currency: string }>;
type Failed = DomainEvent<'Failed', { why: string }>;
type Shipped = DomainEvent<'Shipped', { to: string }>;

const payments = defineEvents({
  Paid: { schema: z.object({ amount: z.number(), currency: z.string().default('EUR') }) },
  Failed: { schema: z.object({ why: z.string() }) },
});
const shipments = defineEvents({ Shipped: { schema: z.object({ to: z.string() }) } });

declare const memory: MemoryEventStore;
declare const postgres: PostgresEventStore;
declare const client: PgClient;

const store = withEvents(memory, payments);

describe('a store with a registry', () => {
  it('takes the events of the registry, with what their schemas fill in left out', async () => {
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: { amount: 5 } }]);
    await store.appendToStream('Payment-1', [
      { type: 'Paid', data: { amount: 5, currency: 'USD' }, tags: ['eu'] },
      { type: 'Failed', data: { why: 'empty' } },
    ]);
    await store.appendCommits('Payment-1', [
      { commitId: 'c', events: [{ type: 'Failed', data: { why: 'empty' } }] },
    ]);
  });

  it('takes no other events, and no other data', async () => {
    // @ts-expect-error -- a misspelt type
    await store.appendToStream('Payment-1', [{ type: 'Payed', data: { amount: 5 } }]);
    // @ts-expect-error -- other data
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: { amount: '5' } }]);
    // @ts-expect-error -- data of another type
    await store.appendToStream('Payment-1', [{ type: 'Paid', data: { why: 'empty' } }]);
    // @ts-expect-error -- a misspelt type
    await store.appendCommits('Payment-1', [{ commitId: 'c', events: [{ type: 'Payed', data: {} }] }]);
    // @ts-expect-error -- an event that it doesn't hold
    await store.appendToStream<Shipped>('Payment-1', [{ type: 'Shipped', data: { to: 'Bonn' } }]);
  });

  it('reads the events of the registry', async () => {
    expectTypeOf(await store.readStream('Payment-1')).toEqualTypeOf<StreamSlice<Paid | Failed>>();
    expectTypeOf((await store.readAll()).events).toEqualTypeOf<readonly RecordedEvent<Paid | Failed>[]>();
    expectTypeOf(await store.readStream<Paid>('Payment-1')).toEqualTypeOf<StreamSlice<Paid>>();
    for await (const event of iterateStream(store, 'Payment-1')) {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent<Paid | Failed>>();
    }
    for await (const event of iterateAll(store, { filter: { types: ['Paid'] } })) {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent<Paid | Failed>>();
    }
    for await (const event of subscribe(store, { filter: [{ types: ['Failed'] }] })) {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent<Paid | Failed>>();
    }
  });

  it('filters by the types of the registry', async () => {
    await store.readAll({ filter: { types: ['Paid'], categories: ['Payment'] } });
    // @ts-expect-error -- a misspelt type
    await store.readAll({ filter: { types: ['Payed'] } });
    // @ts-expect-error -- a misspelt condition
    await store.readAll({ filter: { type: ['Paid'] } });
    // @ts-expect-error -- a misspelt type
    iterateAll(store, { filter: { types: ['Payed'] } });
    // @ts-expect-error -- a misspelt type
    subscribe(store, { filter: { types: ['Payed'] } });
  });

  it('is a store wherever one is wanted', () => {
    class Payment extends AggregateRoot<Paid> {
      static readonly category = 'Payment';
      protected apply(): void {
        // Nothing to remember.
      }
    }
    const decider = {} as Decider<number, { type: 'Pay'; data: undefined }, Paid>;
    const any: EventStore = store;
    new AggregateRepository(store, Payment);
    createCommandHandler(store, decider);
    new EventStorePlugin({ store });
    expectTypeOf<EventsIn<typeof store>>().toEqualTypeOf<Paid | Failed>();
    expectTypeOf<EventsIn<typeof any>>().toEqualTypeOf<DomainEvent>();
    // A store that is just a store still reads what its caller says.
    iterateStream<Paid>(any, 'Payment-1');
  });

  it('keeps all that the store has, in any order of decorators', async () => {
    const one = cachingEventStore(withEvents(postgres, payments));
    const other = withEvents(cachingEventStore(postgres), payments);
    for (const each of [one, other]) {
      expectTypeOf(await each.readStream('Payment-1')).toEqualTypeOf<StreamSlice<Paid | Failed>>();
      expectTypeOf(each.migrate).toEqualTypeOf<() => Promise<readonly string[]>>();
      expectTypeOf(each.close).toEqualTypeOf<() => Promise<void>>();
      expectTypeOf(each[Symbol.asyncDispose]).toEqualTypeOf<() => Promise<void>>();
      expectTypeOf(each.statistics).toEqualTypeOf<PostgresEventStore['statistics']>();
      const transaction = each.inTransaction(client);
      expectTypeOf(await transaction.readStream('Payment-1')).toEqualTypeOf<StreamSlice<Paid | Failed>>();
      expectTypeOf(transaction.snapshots).toEqualTypeOf<PostgresEventStore['snapshots']>();
      // @ts-expect-error -- a misspelt type, also in a transaction
      await transaction.appendToStream('Payment-1', [{ type: 'Payed', data: {} }]);
    }
  });
});

describe('registries', () => {
  it('are merged to one of all their events', async () => {
    const all = mergeEvents(payments, shipments);
    expectTypeOf<InferEvents<typeof all>>().toEqualTypeOf<Paid | Failed | Shipped>();
    const merged = withEvents(memory, all);
    await merged.appendToStream('Order-1', [{ type: 'Shipped', data: { to: 'Bonn' } }]);
    // @ts-expect-error -- a misspelt type
    await merged.appendToStream('Order-1', [{ type: 'Sent', data: { to: 'Bonn' } }]);
  });

  it('are not what a spread makes of them', () => {
    // @ts-expect-error -- it would hold the events of the last one only
    withEvents(memory, { ...payments, ...shipments });
    // @ts-expect-error -- nor is a copy of one
    mergeEvents({ ...payments }, shipments);
    // @ts-expect-error -- nor its definitions
    withEvents(memory, { definitions: payments.definitions });
  });

  it('may be of any events', () => {
    const some: EventRegistry = payments;
    expectTypeOf(withEvents(memory, some).readStream('Payment-1')).resolves.toEqualTypeOf<StreamSlice>();
  });
});

describe('what is defined for the events of a store', () => {
  type Known = EventsIn<typeof store>;

  it('can be a projection of events that it has', () => {
    defineProjection<Known>({ name: 'a', filter: { types: ['Paid'] }, handlePage: () => undefined });
    // @ts-expect-error -- a misspelt type
    defineProjection<Known>({ name: 'a', filter: { types: ['Payed'] }, handlePage: () => undefined });
    // @ts-expect-error -- a misspelt type in a list
    defineProjection<Known>({ name: 'a', filter: [{ types: ['Payed'] }], handlePage: () => undefined });
    // @ts-expect-error -- a misspelt condition
    defineProjection<Known>({ name: 'a', filter: { type: ['Paid'] }, handlePage: () => undefined });
    // @ts-expect-error -- a misspelt type
    defineProjection<Known>({ name: 'a', handlers: { Payed: () => undefined } });
  });

  it('can be a publisher of events that it has', () => {
    const publish = async (events: readonly RecordedEvent<Known>[]): Promise<void> => {
      for (const event of events) if (event.type === 'Failed') expectTypeOf(event.data.why).toBeString();
    };
    definePublisher<Known>({ name: 'a', filter: { types: ['Paid'] }, publisher: { publish } });
    // @ts-expect-error -- a misspelt type
    definePublisher<Known>({ name: 'a', filter: { types: ['Payed'] }, publisher: { publish } });
    // @ts-expect-error -- a misspelt condition
    definePublisher<Known>({ name: 'a', filter: { category: ['Payment'] }, publisher: { publish } });
  });

  it('has typed events also where it is made in a list of any', () => {
    const list: readonly AnyProjection[] = [
      definePublisher({
        name: 'a',
        publisher: {
          publish: async (events) => {
            expectTypeOf(events).toEqualTypeOf<readonly RecordedEvent[]>();
          },
        },
      }),
    ];
    expectTypeOf(list).not.toBeAny();
  });

  it('can be a reaction to events that it has', () => {
    defineReaction<Known>({
      name: 'a',
      on: 'Failed',
      filter: { categories: ['Payment'] },
      handle: ({ data }) => {
        expectTypeOf(data).toEqualTypeOf<{ why: string }>();
      },
      onRejected: (_rejection, event) => {
        expectTypeOf(event).toEqualTypeOf<RecordedEvent<Failed>>();
      },
    });
    // @ts-expect-error -- a misspelt type
    defineReaction<Known>({ name: 'a', on: 'Payed', handle: () => undefined });
    // @ts-expect-error -- a misspelt type in a list
    defineReaction<Known>({ name: 'a', on: ['Paid', 'Payed'], handle: () => undefined });
    defineReaction<Known>({
      name: 'a',
      on: 'Paid',
      // @ts-expect-error -- a misspelt condition
      filter: { category: ['Payment'] },
      handle: () => undefined,
    });
  });
});
