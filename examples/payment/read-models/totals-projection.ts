import { defineProjection, type Projection, type ProjectionSink } from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';
import type { Money } from '../domain/money.js';
import type { PaymentEvent } from '../domain/payment-event.js';

/** Names the projection, and the schema of its table. */
export const totalsReadModel = 'payment_totals';

// `numeric`, because a sum of amounts may be more than the largest of them can be.
const createTable = `create table daily_total (
  day date not null,
  currency text not null,
  count integer not null,
  captured numeric not null,
  refunded numeric not null,
  primary key (day, currency)
)`;
const add = `insert into daily_total values ($1, $2, $3, $4, $5)
  on conflict (day, currency) do update set
    count = daily_total.count + excluded.count,
    captured = daily_total.captured + excluded.captured,
    refunded = daily_total.refunded + excluded.refunded`;

/**
 * What was captured and given back on each day (UTC), by currency. It counts money that moved, so that the deletion of a
 * payment takes nothing out of it.
 */
export function totalsProjection(
  sink: ProjectionSink<SqlProjectionContext>,
): Projection<PaymentEvent, SqlProjectionContext> {
  return defineProjection<PaymentEvent, SqlProjectionContext>({
    name: totalsReadModel,
    sink,
    init: ({ client }) => client.query(createTable),
    handlers: {
      PaymentProcessed: ({ occurredAt, data }, { client }) =>
        client.query(add, rowOf(occurredAt, data.amount, 1, data.amount.minorUnits, 0)),
      PaymentRefunded: ({ occurredAt, data }, { client }) =>
        client.query(add, rowOf(occurredAt, data.amount, 0, 0, data.amount.minorUnits)),
    },
  });
}

/** `occurredAt` is in UTC. */
function rowOf(
  occurredAt: string,
  { currency }: Money,
  ...sums: readonly [number, number, number]
): unknown[] {
  return [occurredAt.slice(0, 10), currency, ...sums];
}
