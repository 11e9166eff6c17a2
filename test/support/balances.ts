import {
  defineProjection,
  type DomainEvent,
  type Projection,
  type ProjectionDefinition,
} from 'temporal-event-store';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import type { SqlProjectionContext } from 'temporal-event-store/pglite';

export type BalanceEvent =
  DomainEvent<'Deposited', { readonly amount: number }> | DomainEvent<'Broken', object>;

export function deposited(amount: number): BalanceEvent {
  return { type: 'Deposited', data: { amount } };
}

/** Balance and number of events of each stream: any event that is lost or applied twice shows. */
export type Balances = Map<string, { balance: number; events: number }>;

type Options<Context> = Partial<ProjectionDefinition<BalanceEvent, Context>> & {
  /** Called with each event, before it is applied; what it throws is a failure of the handler. */
  readonly onEvent?: (type: string, streamId: string) => void;
};

export function memoryBalances({ onEvent, ...options }: Options<Balances> = {}): {
  projection: Projection<BalanceEvent, Balances>;
  sink: MemoryProjectionSink<Balances>;
} {
  const sink =
    (options.sink as MemoryProjectionSink<Balances> | undefined) ??
    new MemoryProjectionSink<Balances>(() => new Map());
  const projection = defineProjection<BalanceEvent, Balances>({
    name: 'balances',
    handlers: {
      Deposited: ({ type, streamId, data }, balances) => {
        onEvent?.(type, streamId);
        const { balance, events } = balances.get(streamId) ?? { balance: 0, events: 0 };
        balances.set(streamId, { balance: balance + data.amount, events: events + 1 });
      },
      Broken: ({ type, streamId }) => {
        onEvent?.(type, streamId);
      },
    },
    ...options,
    sink,
  });
  return { projection, sink };
}

const createBalances =
  'create table balances (stream text primary key, balance bigint not null, events bigint not null)';
const addToBalance = `insert into balances values ($1, $2, 1)
  on conflict (stream) do update set balance = balances.balance + excluded.balance, events = balances.events + 1`;

export function sqlBalances({ onEvent, ...options }: Options<SqlProjectionContext> = {}): Projection<
  BalanceEvent,
  SqlProjectionContext
> {
  return defineProjection<BalanceEvent, SqlProjectionContext>({
    name: 'balances',
    init: ({ client }) => client.query(createBalances),
    handlers: {
      Deposited: async ({ type, streamId, data }, { client }) => {
        onEvent?.(type, streamId);
        await client.query(addToBalance, [streamId, data.amount]);
      },
      Broken: async ({ type, streamId }, { client }) => {
        onEvent?.(type, streamId);
        await client.query('select broken from balances');
      },
    },
    ...options,
  });
}
