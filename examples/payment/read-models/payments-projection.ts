import {
  defineProjection,
  parseStreamId,
  type Projection,
  type ProjectionSink,
  type RecordedEvent,
} from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/postgres';
import type { PaymentStatus } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';

/** Names the projection, and the schema of its table. */
export const paymentsReadModel = 'payments';

type PaymentHandler = (event: RecordedEvent<PaymentEvent>, context: SqlProjectionContext) => Promise<unknown>;
type BeginningHandler = (
  event: RecordedEvent<Extract<PaymentEvent, { type: 'PaymentInitiated' | 'PaymentProcessed' }>>,
  context: SqlProjectionContext,
) => Promise<unknown>;

const createTable = `create table payment (
  id text collate "C" primary key,
  organization text not null,
  status text not null,
  amount bigint not null,
  refunded bigint not null default 0,
  currency text not null,
  version integer not null,
  updated_at timestamptz not null
)`;
const begin = `insert into payment (id, organization, amount, currency, status, version, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (id) do update set
    status = excluded.status, version = excluded.version, updated_at = excluded.updated_at`;
const change = `update payment set status = coalesce($2, status), version = $3, updated_at = $4 where id = $1`;
const refund = `update payment set
    refunded = refunded + $2::bigint,
    status = case when refunded + $2::bigint = amount then 'refunded' else status end,
    version = $3, updated_at = $4
  where id = $1`;

/** The payments as they stand, a row for each: by status, by organisation. A deleted one is gone. */
export function paymentsProjection(
  sink: ProjectionSink<SqlProjectionContext>,
): Projection<PaymentEvent, SqlProjectionContext> {
  return defineProjection<PaymentEvent, SqlProjectionContext>({
    name: paymentsReadModel,
    sink,
    init: async ({ client }) => {
      await client.query(createTable);
      await client.query('create index on payment (organization, id)');
      await client.query('create index on payment (status, id)');
    },
    handlers: {
      PaymentInitiated: beginAs('initiated'),
      PaymentProcessed: beginAs('processed'),
      PaymentAuthorised: changeTo('authorised'),
      PaymentCompleted: changeTo('completed'),
      PaymentFailed: changeTo('failed'),
      PaymentCancelled: changeTo('cancelled'),
      PaymentNotified: changeTo(undefined),
      PaymentRefunded: (event, { client }) =>
        client.query(refund, [idOf(event), event.data.amount.minorUnits, event.version, event.occurredAt]),
      PaymentDeleted: (event, { client }) => client.query('delete from payment where id = $1', [idOf(event)]),
    },
  });
}

function beginAs(status: PaymentStatus): BeginningHandler {
  return (event, { client }) => {
    const { organizationId, amount } = event.data;
    return client.query(begin, [
      idOf(event),
      organizationId,
      amount.minorUnits,
      amount.currency,
      status,
      event.version,
      event.occurredAt,
    ]);
  };
}

function changeTo(status: PaymentStatus | undefined): PaymentHandler {
  return (event, { client }) =>
    client.query(change, [idOf(event), status ?? null, event.version, event.occurredAt]);
}

function idOf({ streamId }: RecordedEvent): string {
  return parseStreamId(streamId).id;
}
