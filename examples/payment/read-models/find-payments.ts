import type { SqlClient } from 'temporal-event-store/postgres';
import type { Money } from '../domain/money.js';
import type { PaymentStatus } from '../domain/payment-aggregate.js';

/** Of a payment that is there. */
type VisibleStatus = Exclude<PaymentStatus, 'new' | 'deleted'>;

/** A row of the read model. */
export interface PaymentSummary {
  readonly id: string;
  readonly organizationId: string;
  readonly status: VisibleStatus;
  readonly amount: Money;
  /** Of the amount, in minor units. */
  readonly refunded: number;
  /** Version of the stream that the row shows. */
  readonly version: number;
  /** ISO 8601 in UTC: when the last event happened. */
  readonly updatedAt: string;
}

export interface PaymentQuery {
  readonly organizationId?: string;
  readonly status?: VisibleStatus;
  /** Goes on after the payment with this id. */
  readonly after?: string;
  /** Most payments of the page. Default 100. */
  readonly limit?: number;
}

/** In the order of their ids. */
export interface PaymentPage {
  readonly payments: readonly PaymentSummary[];
  /** The `after` of the next page; absent at the end. */
  readonly next?: string;
}

const select = `select id, organization, status, amount, refunded, currency, version, updated_at
  from payments.payment
  where ($1::text is null or organization = $1) and ($2::text is null or status = $2) and ($3::text is null or id > $3)
  order by id limit $4`;

interface PaymentRow {
  readonly id: string;
  readonly organization: string;
  readonly status: VisibleStatus;
  // Drivers give a bigint as they like.
  readonly amount: unknown;
  readonly refunded: unknown;
  readonly currency: string;
  readonly version: number;
  readonly updated_at: Date;
}

/** A page of the payments as the read model knows them. */
export async function findPayments(
  client: SqlClient,
  { organizationId, status, after, limit = 100 }: PaymentQuery,
): Promise<PaymentPage> {
  const { rows } = await client.query(select, [
    organizationId ?? null,
    status ?? null,
    after ?? null,
    limit + 1,
  ]);
  const payments = (rows as readonly PaymentRow[]).slice(0, limit).map(toSummary);
  const last = payments.at(-1);
  return { payments, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}

/** How many payments there are. */
export async function countPayments(client: SqlClient): Promise<number> {
  const { rows } = await client.query('select count(*) as count from payments.payment');
  return Number((rows as readonly { readonly count: unknown }[])[0]?.count);
}

function toSummary(row: PaymentRow): PaymentSummary {
  return {
    id: row.id,
    organizationId: row.organization,
    status: row.status,
    amount: { minorUnits: Number(row.amount), currency: row.currency },
    refunded: Number(row.refunded),
    version: row.version,
    updatedAt: row.updated_at.toISOString(),
  };
}
