import type { Contender, EventData } from '../contenders/contender.js';
import { withClient } from '../databases.js';

/** What is measured: a statement for each event, or one for all of a page. */
export type StatementPer = 'event' | 'page';

/** As far as a read model needs it; every contender has it so. */
export interface ProjectedEvent {
  readonly streamId: string;
  readonly data: EventData;
}

/** How each `pg` is asked, whoever's it is. */
export interface SqlClient {
  query(text: string, values: unknown[]): Promise<unknown>;
}

export const createBalance = `create table balance (
  account text primary key, amount bigint not null, events bigint not null, last_ref bigint not null)`;

const applyEvent = `insert into balance values ($1, $2, 1, $3) on conflict (account) do update set
  amount = balance.amount + excluded.amount, events = balance.events + 1, last_ref = excluded.last_ref`;

const applyPage = `insert into balance
  select account, sum(amount), count(*), max(ref)
  from unnest($1::text[], $2::bigint[], $3::bigint[]) page (account, amount, ref) group by account
  on conflict (account) do update set amount = balance.amount + excluded.amount,
    events = balance.events + excluded.events, last_ref = excluded.last_ref`;

/** Writes a page of events into the table `balance` of the search path: the same statements for every contender. */
export async function applyEvents(
  client: SqlClient,
  events: readonly ProjectedEvent[],
  statementPer: StatementPer,
): Promise<void> {
  if (statementPer === 'page') {
    const accounts = events.map(({ streamId }) => streamId);
    const amounts = events.map(({ data }) => data['amount']);
    const refs = events.map(({ data }) => data.ref);
    await client.query(applyPage, [accounts, amounts, refs]);
    return;
  }
  for (const { streamId, data } of events) {
    await client.query(applyEvent, [streamId, data['amount'], data.ref]);
  }
}

/** What a projection must not do, counted. */
export type ProjectionFaults = {
  /** Events that are not in the read model. */
  readonly lost: number;
  /** Events that are in it more than once. */
  readonly duplicated: number;
  /** Rows that are not the fold of the stream's events in their order. */
  readonly foldedWrongly: number;
};

/**
 * Compares a read model with the fold of the log, by plain SQL.
 *
 * @param schema of the table `balance`
 * @param lastRef of the last event that it shall hold
 */
export async function auditBalance(
  { storedSql }: Contender,
  url: string,
  schema: string,
  lastRef: number,
): Promise<ProjectionFaults> {
  return withClient(url, async (client) => {
    // The amount of an event is that of `rows.ts` and `events.ts`.
    const { rows } = await client.query<{ [Fault in keyof ProjectionFaults]: string }>(
      `with fold as (
         select stream_id as account, sum(ref % 100000) as amount, count(*) as events,
           (array_agg(ref order by version desc))[1] as last_ref
         from (${storedSql}) s where ref <= $1 group by stream_id
       ), compared as (
         select coalesce(b.events, 0) - coalesce(f.events, 0) as surplus,
           (b.amount, b.last_ref) is distinct from (f.amount, f.last_ref) as differs
         from fold f full join "${schema}".balance b using (account)
       )
       select coalesce(-sum(least(surplus, 0)), 0) as lost, coalesce(sum(greatest(surplus, 0)), 0) as duplicated,
         count(*) filter (where differs) as "foldedWrongly"
       from compared`,
      [lastRef],
    );
    const { lost, duplicated, foldedWrongly } = rows[0]!;
    return { lost: Number(lost), duplicated: Number(duplicated), foldedWrongly: Number(foldedWrongly) };
  });
}
