import type { SqlClient } from 'temporal-event-store/postgres';

export interface DailyTotal {
  /** `YYYY-MM-DD`, in UTC. */
  readonly day: string;
  /** ISO 4217 code. */
  readonly currency: string;
  /** Payments that were captured on that day. */
  readonly count: number;
  /** Minor units; as text, because a sum may be larger than a number holds exactly. */
  readonly captured: string;
  /** Minor units, as text. */
  readonly refunded: string;
}

export interface TotalsQuery {
  /** `YYYY-MM-DD`, inclusive. */
  readonly from?: string;
  /** `YYYY-MM-DD`, inclusive. */
  readonly to?: string;
}

const select = `select day::text as day, currency, count, captured::text as captured, refunded::text as refunded
  from payment_totals.daily_total
  where ($1::date is null or day >= $1) and ($2::date is null or day <= $2)
  order by daily_total.day, currency`;

/** What was captured and refunded, by day and currency. Days on which nothing happened are absent. */
export async function findTotals(
  client: SqlClient,
  { from, to }: TotalsQuery = {},
): Promise<readonly DailyTotal[]> {
  const { rows } = await client.query(select, [from ?? null, to ?? null]);
  return rows as readonly DailyTotal[];
}
