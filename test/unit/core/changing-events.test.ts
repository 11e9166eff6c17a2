import {
  AggregateRepository,
  AggregateRoot,
  createCommandHandler,
  defineEvents,
  iterateStream,
  withEvents,
  type DomainEvent,
  type EventToAppend,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const payments = defineEvents({ Captured: { schema: z.object({ amount: z.number() }) } });
const orders = defineEvents({ Placed: {} });
const captured = { type: 'Captured', data: { amount: 5 } } as const;
const placed = { type: 'Placed', data: {} } as const;

describe('registries of one store', () => {
  it('may be used one beside the other: each appends its own events, and reads the others as they are', async () => {
    const store = new MemoryEventStore();
    const paying = withEvents(store, payments);
    const ordering = withEvents(store, orders);
    await paying.appendToStream('Payment-1', [captured]);
    await ordering.appendToStream('Order-1', [placed]);

    expect((await paying.readAll()).events).toMatchObject([captured, placed]);
    await expect(
      paying.appendToStream('Order-1', [placed as unknown as typeof captured]),
    ).rejects.toMatchObject({ code: 'INVALID_EVENT', path: 'events[0].type' });
  });

  it('may not be put around one another: only what both list would fit', async () => {
    const store = withEvents(withEvents(new MemoryEventStore(), payments), orders);
    await expect(store.appendToStream('Order-1', [placed])).rejects.toThrow(`'Placed'`);
  });
});

describe('an upcaster', () => {
  it('changes the data of an event, and neither its type nor its place', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Payment-1', [{ type: 'Captured', data: { euros: 5 } }]);
    const events = defineEvents({
      Captured: { schemaVersion: 2, upcast: { 1: () => ({ type: 'Renamed', version: 9 }) } },
    });
    const { events: read } = await withEvents(inner, events).readStream('Payment-1');
    expect(read).toMatchObject([
      { type: 'Captured', version: 1, data: { type: 'Renamed', version: 9 }, schemaVersion: 2 },
    ]);
  });

  it('may make what the schema would refuse: that checks new events only', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Payment-1', [{ type: 'Captured', data: {} }]);
    const events = defineEvents({
      Captured: {
        schemaVersion: 2,
        schema: z.object({ amount: z.number() }),
        upcast: { 1: () => ({ amount: null }) },
      },
    });
    const { events: read } = await withEvents(inner, events).readStream('Payment-1');
    expect(read).toMatchObject([{ data: { amount: null } }]);
  });
});

type AccountEvent = DomainEvent<'Opened' | 'Frozen', object>;

class Account extends AggregateRoot<AccountEvent> {
  static readonly category: string = 'Account';
  isFrozen = false;
  protected apply({ type }: AccountEvent): void {
    if (type === 'Frozen') this.isFrozen = true;
  }
}

describe('an event of a new type', () => {
  it('is passed over by a release that does not know it, which then decides on another state', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Account-1', [
      { type: 'Opened', data: {} },
      { type: 'Frozen', data: {} },
    ]);
    class OldAccount extends Account {
      protected override apply(event: AccountEvent): void {
        if (event.type !== 'Frozen') super.apply(event);
      }
    }
    const old = withEvents(inner, defineEvents({ Opened: {} }));
    expect(await new AggregateRepository(old, OldAccount).load('1')).toMatchObject({
      version: 2,
      isFrozen: false,
    });
  });

  it('is refused to a release that does not know its schema version, for each reader of its page', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Account-1', [{ type: 'Opened', data: {}, schemaVersion: 2 }]);
    await inner.appendToStream('Account-2', [{ type: 'Opened', data: {} }]);
    const old = withEvents(inner, defineEvents({ Opened: {} }));
    const accounts = new AggregateRepository(old, Account);
    await expect(accounts.load('1')).rejects.toMatchObject({
      code: 'EVENT_TOO_NEW',
      schemaVersion: 2,
      knownSchemaVersion: 1,
    });
    await expect(old.readAll()).rejects.toMatchObject({ code: 'EVENT_TOO_NEW', streamId: 'Account-1' });
    expect(await accounts.load('2')).toMatchObject({ version: 1 });
  });
});

describe('an event type that has another name now', () => {
  it('stays in the registry and is understood, while only the new one is appended', async () => {
    const inner = new MemoryEventStore();
    await inner.appendToStream('Account-1', [{ type: 'Blocked', data: {} }]);
    const store = withEvents(inner, defineEvents({ Blocked: {}, Frozen: {} }));
    const accounts = createCommandHandler(store, {
      category: 'Account',
      initialState: () => 0,
      evolve: (count: number, { type }: DomainEvent<'Blocked' | 'Frozen', object>) =>
        type === 'Blocked' || type === 'Frozen' ? count + 1 : count,
      decide: (count: number) => (count < 3 ? [{ type: 'Frozen' as const, data: {} }] : []),
    });
    await accounts.execute('1', { type: 'Freeze', data: {} });
    await accounts.execute('1', { type: 'Freeze', data: {} });
    await accounts.execute('1', { type: 'Freeze', data: {} });
    expect((await store.readStream('Account-1')).events.map(({ type }) => type)).toEqual([
      'Blocked',
      'Frozen',
      'Frozen',
    ]);
  });
});

describe('a stream that is copied to another category', () => {
  it('holds the events once, however often it is copied, with ids and positions of their own', async () => {
    const store = new MemoryEventStore();
    const occurredAt = '2024-05-06T07:30:00.000Z';
    await store.appendToStream('Account-1', [
      { type: 'Opened', data: {}, occurredAt, tags: ['branch:12'] },
      { type: 'Frozen', data: {}, occurredAt },
    ]);
    const copy = async (): Promise<void> => {
      for await (const { type, data, schemaVersion, tags, metadata, occurredAt: at, id } of iterateStream(
        store,
        'Account-1',
      )) {
        const event: EventToAppend = { type, data, schemaVersion, tags, metadata, occurredAt: at };
        await store.appendToStream('Wallet-1', [event], { commitId: `copy-${id}` });
      }
    };
    await copy();
    await copy();

    const [from, to] = await Promise.all(['Account-1', 'Wallet-1'].map((id) => store.readStream(id)));
    expect(to?.events).toMatchObject([
      { type: 'Opened', version: 1, position: 3, occurredAt, tags: ['branch:12'] },
      { type: 'Frozen', version: 2, position: 4, occurredAt },
    ]);
    expect(new Set([...(from?.events ?? []), ...(to?.events ?? [])].map(({ id }) => id)).size).toBe(4);
  });

  it('need not be: a category is a text, and the class around it may have any name', async () => {
    const store = new MemoryEventStore();
    await store.appendToStream('Account-1', [{ type: 'Frozen', data: {} }]);
    class Wallet extends Account {}
    expect(await new AggregateRepository(store, Wallet).load('1')).toMatchObject({ isFrozen: true });
  });
});

describe('a snapshot', () => {
  it('keeps what an earlier upcaster made of an event until its snapshotVersion is raised', async () => {
    const store = new MemoryEventStore();
    await store.appendToStream('Total-1', [{ type: 'Captured', data: { amount: 5 } }]);
    const inCents = (factor: number) =>
      withEvents(
        store,
        defineEvents({
          Captured: {
            schemaVersion: 2,
            schema: z.object({ cents: z.number() }),
            upcast: { 1: ({ amount }: { amount: number }) => ({ cents: amount * factor }) },
          },
        }),
      );
    const totalOf = (snapshotVersion: number) =>
      class Total extends AggregateRoot<DomainEvent<'Captured', { cents: number }>> {
        static readonly category = 'Total';
        static readonly snapshotVersion = snapshotVersion;
        cents = 0;
        protected apply({ data }: DomainEvent<'Captured', { cents: number }>): void {
          this.cents += data.cents;
        }
      };
    const { snapshots } = store;
    const first = new AggregateRepository(inCents(10), totalOf(1), { snapshots });
    await first.saveSnapshot(await first.load('1'));

    const corrected = inCents(100);
    expect(await new AggregateRepository(corrected, totalOf(1), { snapshots }).load('1')).toMatchObject({
      cents: 50,
    });
    expect(await new AggregateRepository(corrected, totalOf(2), { snapshots }).load('1')).toMatchObject({
      cents: 500,
    });
  });
});
