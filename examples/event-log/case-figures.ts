import type { SqlClient } from 'temporal-event-store/postgres';
import { caseProjection } from './case-projection.js';

/** What the read model says about the cases of a log. */
export interface CaseFigures {
  readonly cases: number;
  readonly events: number;
  /** How many began in each month of UTC, in order. */
  readonly months: readonly { readonly month: string; readonly cases: number }[];
  /** Seconds from the first event of a case to its last. */
  readonly throughput: { readonly median: number; readonly p90: number; readonly longest: number };
  /** How often an activity was followed by another in the same case, most first. */
  readonly transitions: readonly Transition[];
}

export interface Transition {
  readonly activity: string;
  readonly next: string;
  readonly count: number;
}

/** @param log the tag of its events */
export async function readCaseFigures(client: SqlClient, log: string): Promise<CaseFigures> {
  const query = async <Row>(text: string): Promise<readonly Row[]> =>
    (await client.query(text, [log])).rows as readonly Row[];
  const [total] = await query<{ cases: number; events: number; seconds: number[] }>(
    `select count(*)::int as cases, coalesce(sum(events), 0)::int as events,
       percentile_cont(array[0.5, 0.9, 1]) within group (order by extract(epoch from ended_at - began_at)::float8) as seconds
     from ${caseProjection}.cases where log = $1`,
  );
  const months = await query<{ month: string; cases: number }>(
    `select to_char(began_at at time zone 'UTC', 'YYYY-MM') as month, count(*)::int as cases
     from ${caseProjection}.cases where log = $1 group by month order by month`,
  );
  const transitions = await query<Transition>(
    `select activity, next_activity as next, count::int from ${caseProjection}.transitions
     where log = $1 order by count desc, activity, next_activity`,
  );
  const [median = 0, p90 = 0, longest = 0] = total?.seconds ?? [];
  return {
    cases: total?.cases ?? 0,
    events: total?.events ?? 0,
    months,
    throughput: { median, p90, longest },
    transitions,
  };
}
