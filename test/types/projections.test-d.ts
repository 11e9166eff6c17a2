import type { PoolClient } from 'pg';
import { defineProjection, type DomainEvent, type JsonValue, type RecordedEvent } from 'temporal-event-store';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import type { PgClient, PostgresProjectionSink, SqlProjectionContext } from 'temporal-event-store/postgres';
import { describe, expectTypeOf, it } from 'vitest';

type Opened = DomainEvent<'Opened', { readonly owner: string }>;
type Deposited = DomainEvent<'Deposited', { readonly amount: number }>;

declare const sink: PostgresProjectionSink;
declare const sinkOfPoolClients: PostgresProjectionSink<PoolClient>;

describe('the handlers of a projection', () => {
  it('get the event of their type', () => {
    defineProjection<Opened | Deposited, SqlProjectionContext>({
      name: 'any',
      sink,
      handlers: {
        Opened: (event, { client, schema }) => {
          expectTypeOf(event).toEqualTypeOf<RecordedEvent<Opened>>();
          expectTypeOf(event.data.owner).toEqualTypeOf<string>();
          expectTypeOf(schema).toEqualTypeOf<string>();
          return client.query('select 1');
        },
        Deposited: ({ data }) => {
          expectTypeOf(data.amount).toEqualTypeOf<number>();
        },
      },
    });
    defineProjection<Opened>({
      name: 'any',
      handlers: {
        // @ts-expect-error no such event
        Closed: () => undefined,
      },
    });
  });

  it('get the context of their sink, without saying so', () => {
    defineProjection({
      name: 'any',
      sink,
      handlers: {
        Opened: (event, context) => {
          expectTypeOf(event.data).toEqualTypeOf<unknown>();
          expectTypeOf(context.client).toEqualTypeOf<PgClient>();
        },
      },
      init: ({ client }) => client.query('create table t ()'),
      reset: ({ client }) => client.query('drop table t'),
    });
    defineProjection({
      name: 'any',
      sink: sinkOfPoolClients,
      handlers: {
        Opened: (_event, { client }) => {
          expectTypeOf(client).toEqualTypeOf<PoolClient>();
        },
      },
    });
    defineProjection({
      name: 'any',
      sink: new MemoryProjectionSink(() => new Map<string, JsonValue>()),
      handlers: {
        Opened: (event, model) => model.set(event.streamId, 1),
      },
    });
  });

  it('of a page get the events of it', () => {
    defineProjection<Opened | Deposited, SqlProjectionContext>({
      name: 'any',
      handlePage: (events) => {
        expectTypeOf(events).toEqualTypeOf<readonly RecordedEvent<Opened | Deposited>[]>();
        for (const event of events) {
          if (event.type === 'Opened') expectTypeOf(event.data.owner).toEqualTypeOf<string>();
        }
      },
    });
  });
});

describe('the handlers of a projection whose events share a definition', () => {
  it('get the event of their type', () => {
    defineProjection<
      DomainEvent<'Deposited' | 'Withdrawn', { readonly amount: number }>,
      SqlProjectionContext
    >({
      name: 'any',
      sink,
      handlers: {
        Deposited: ({ type, data }) => {
          expectTypeOf(type).toEqualTypeOf<'Deposited'>();
          expectTypeOf(data.amount).toEqualTypeOf<number>();
        },
        // @ts-expect-error no event has this type
        Closed: () => undefined,
      },
    });
  });
});
