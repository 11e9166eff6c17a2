import {
  iterateAll,
  iterateStream,
  subscribe,
  toCloudEvent,
  type DomainEvent,
  type EventMetadata,
  type EventStore,
  type EventToAppend,
  type RecordedEvent,
} from 'temporal-event-store';
import { describe, expectTypeOf, it } from 'vitest';

type Opened = DomainEvent<'Opened', { readonly owner: string }>;
type Deposited = DomainEvent<'Deposited', { readonly amount: number }>;
type AccountEvent = Opened | Deposited;

declare const store: EventStore;
declare const event: RecordedEvent<AccountEvent>;

describe('a recorded event', () => {
  it('is narrowed by its type', () => {
    switch (event.type) {
      case 'Opened':
        expectTypeOf(event.data).toEqualTypeOf<{ readonly owner: string }>();
        break;
      case 'Deposited':
        expectTypeOf(event.data.amount).toEqualTypeOf<number>();
        break;
      default:
        expectTypeOf(event).toBeNever();
    }
  });

  it('distributes over a union', () => {
    expectTypeOf<RecordedEvent<AccountEvent>>().toEqualTypeOf<
      RecordedEvent<Opened> | RecordedEvent<Deposited>
    >();
  });

  it('is one of any kind', () => {
    expectTypeOf<RecordedEvent<AccountEvent>>().toExtend<RecordedEvent>();
    expectTypeOf<RecordedEvent['data']>().toBeUnknown();
  });

  it('can be read as a domain event, not appended', () => {
    expectTypeOf<RecordedEvent<Opened>>().toExtend<Opened>();
    expectTypeOf<EventToAppend<Opened>>().not.toExtend<RecordedEvent<Opened>>();
  });

  it('has metadata whose named keys are strings, and any JSON beside', () => {
    expectTypeOf(event.metadata.correlationId).toEqualTypeOf<string | undefined>();
    expectTypeOf<{ actor: string; tenant: { id: number } }>().toExtend<EventMetadata>();
    expectTypeOf<{ actor: number }>().not.toExtend<EventMetadata>();
    expectTypeOf<{ at: Date }>().not.toExtend<EventMetadata>();
  });
});

describe('appendToStream', () => {
  it('takes events as they are written', () => {
    void store.appendToStream('Account-1', [{ type: 'Opened', data: { owner: 'ann' } }]);
    void store.appendToStream('Account-1', [
      { type: 'Opened', data: {}, tags: ['eu'], metadata: { actor: 'ann' }, occurredAt: new Date() },
      { type: 'Other', data: null, schemaVersion: 2 },
    ]);
  });

  it('takes the events that it is told to take, and no others', () => {
    void store.appendToStream<AccountEvent>('Account-1', [{ type: 'Opened', data: { owner: 'ann' } }]);
    // @ts-expect-error -- not a type of the union
    void store.appendToStream<AccountEvent>('Account-1', [{ type: 'Closed', data: {} }]);
    // @ts-expect-error -- the data of another type
    void store.appendToStream<AccountEvent>('Account-1', [{ type: 'Opened', data: { amount: 5 } }]);
  });

  it('refuses what is no event, and options that do not exist', () => {
    // @ts-expect-error -- an event has data
    void store.appendToStream('Account-1', [{ type: 'Opened' }]);
    // @ts-expect-error -- a misspelt option
    void store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectVersion: 1 });
    // @ts-expect-error -- not an expected version
    void store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { expectedVersion: 'latest' });
  });
});

describe('reads', () => {
  it('give the events that they are told to give', async () => {
    const slice = await store.readStream<AccountEvent>('Account-1');
    expectTypeOf(slice.events).toEqualTypeOf<readonly RecordedEvent<AccountEvent>[]>();
    for await (const each of iterateStream<AccountEvent>(store, 'Account-1')) {
      expectTypeOf(each).toEqualTypeOf<RecordedEvent<AccountEvent>>();
    }
    for await (const each of iterateAll<AccountEvent>(store)) {
      expectTypeOf(each).toEqualTypeOf<RecordedEvent<AccountEvent>>();
    }
    for await (const each of subscribe<AccountEvent>(store)) {
      expectTypeOf(each).toEqualTypeOf<RecordedEvent<AccountEvent>>();
    }
  });

  it('give events of unknown data when they are told nothing', async () => {
    for await (const each of iterateAll(store)) expectTypeOf(each).toEqualTypeOf<RecordedEvent>();
  });

  it('keep the data in a cloud event', () => {
    expectTypeOf(toCloudEvent(event).data).toEqualTypeOf<
      { readonly owner: string } | { readonly amount: number }
    >();
  });
});
