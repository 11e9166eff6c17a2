import {
  defineEvents,
  withEvents,
  type DomainEvent,
  type EventRegistry,
  type EventStatistics,
  type EventStore,
  type InferEvents,
  type RecordedEvent,
  type SnapshotStore,
} from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

declare const memory: MemoryEventStore;
declare const plain: EventStore;
declare function eventOf<R extends EventRegistry>(registry: R): InferEvents<R>;
declare function recorded<E extends DomainEvent>(event: E): RecordedEvent<E>;

interface Line {
  sku: string;
  price: number;
  count: number;
}

describe('the events of a registry', () => {
  it('are those of zod schemas, with what they fill in', () => {
    const event = eventOf(
      defineEvents({
        Placed: {
          schema: z.object({
            lines: z.array(z.object({ sku: z.string(), price: z.number(), count: z.number().default(1) })),
          }),
        },
        Cancelled: {
          schemaVersion: 2,
          schema: z.object({ reason: z.string() }),
          upcast: { 1: () => ({ reason: '' }) },
        },
      }),
    );
    expectTypeOf(event).toEqualTypeOf<
      DomainEvent<'Placed', { lines: Line[] }> | DomainEvent<'Cancelled', { reason: string }>
    >();
  });

  it('are those of valibot schemas, with what they fill in, also asynchronous ones', () => {
    const event = eventOf(
      defineEvents({
        Placed: {
          schema: v.object({
            lines: v.array(
              v.object({ sku: v.string(), price: v.number(), count: v.optional(v.number(), 1) }),
            ),
          }),
        },
        Cancelled: {
          schema: v.objectAsync({
            reason: v.pipeAsync(
              v.string(),
              v.checkAsync(async () => true),
            ),
          }),
        },
      }),
    );
    expectTypeOf(event).toEqualTypeOf<
      DomainEvent<'Placed', { lines: Line[] }> | DomainEvent<'Cancelled', { reason: string }>
    >();
  });

  it('have unknown data where there is no schema', () => {
    expectTypeOf(eventOf(defineEvents({ Opened: {} }))).toEqualTypeOf<DomainEvent<'Opened'>>();
  });

  it('are what a schema makes of the data', () => {
    const event = eventOf(
      defineEvents({ Named: { schema: z.object({ age: z.string().transform(Number) }) } }),
    );
    expectTypeOf(event).toEqualTypeOf<DomainEvent<'Named', { age: number }>>();
  });

  it('narrow by their type', () => {
    const event = recorded(
      eventOf(
        defineEvents({
          Placed: { schema: z.object({ total: z.number() }) },
          Cancelled: { schema: z.object({ reason: z.string() }) },
        }),
      ),
    );
    if (event.type === 'Placed') expectTypeOf(event.data).toEqualTypeOf<{ total: number }>();
  });

  it('are upcast by functions that say what they take', () => {
    defineEvents({
      Placed: {
        schemaVersion: 3,
        upcast: {
          1: (data: { total: number }) => ({ prices: [data.total] }),
          2: (_data: unknown, event) => {
            expectTypeOf(event).toEqualTypeOf<RecordedEvent>();
            return {};
          },
        },
      },
    });
  });

  it('have no settings but those that exist, and schemas that are schemas', () => {
    // @ts-expect-error -- a misspelt setting
    defineEvents({ Placed: { version: 2 } });
    // @ts-expect-error -- not a Standard Schema
    defineEvents({ Placed: { schema: { parse: () => 1 } } });
  });
});

describe.each([
  ['withEvents', () => [withEvents(memory, defineEvents({})), withEvents(plain, defineEvents({}))] as const],
  ['cachingEventStore', () => [cachingEventStore(memory), cachingEventStore(plain)] as const],
])('%s', (_name, decorate) => {
  it('keeps the capabilities of the store that it is around, and adds none', () => {
    const [around, aroundPlain] = decorate();
    expectTypeOf(around).toExtend<EventStore & EventStatistics>();
    expectTypeOf(around.snapshots).toExtend<SnapshotStore>();
    expectTypeOf(around.appendCommits).toEqualTypeOf<MemoryEventStore['appendCommits']>();
    expectTypeOf(aroundPlain).toExtend<EventStore>();
    expectTypeOf(aroundPlain).not.toHaveProperty('snapshots');
    expectTypeOf(aroundPlain).not.toHaveProperty('trends');
  });
});
