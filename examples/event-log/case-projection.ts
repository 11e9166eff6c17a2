import {
  defineProjection,
  type Projection,
  type ProjectionSink,
  type RecordedEvent,
} from 'temporal-event-store';
import type { SqlProjectionContext } from 'temporal-event-store/pglite';
import type { CaseEvent } from './case-event.js';

/** Names the schema of the read model, too. */
export const caseProjection = 'event_log_cases';

/**
 * What the logs of a store say about their cases: when each began and ended, and how often which activity followed which.
 * A page of events is one statement.
 */
export function defineCaseProjection(
  sink: ProjectionSink<SqlProjectionContext>,
): Projection<CaseEvent, SqlProjectionContext> {
  return defineProjection<CaseEvent, SqlProjectionContext>({
    name: caseProjection,
    filter: { categories: ['Case'] },
    sink,
    pageSize: 1_000,
    init: async ({ client }) => {
      for (const table of tables) await client.query(table);
    },
    handlePage: async (events, { client }) => {
      await client.query(applyPage, [JSON.stringify(events.map(toRow))]);
    },
  });
}

function toRow({ tags, streamId, type, position, occurredAt }: RecordedEvent<CaseEvent>) {
  return { log: tags[0], stream_id: streamId, activity: type, position, at: occurredAt };
}

const tables = [
  `create table cases (
     log text, stream_id text, began_at timestamptz not null, ended_at timestamptz not null, events bigint not null,
     last_activity text not null, primary key (log, stream_id)
   )`,
  `create table transitions (
     log text, activity text, next_activity text, count bigint not null, primary key (log, activity, next_activity)
   )`,
];

/** All of it sees the cases as they were before the page. */
const applyPage = `
  with page as (
    select * from json_to_recordset($1::json)
      as event (log text, stream_id text, activity text, position bigint, at timestamptz)
  ), steps as (
    select log, coalesce(lag(activity) over (partition by log, stream_id order by position), last_activity) as activity,
      activity as next_activity
    from page left join cases using (log, stream_id)
  ), counted as (
    insert into transitions
      select log, activity, next_activity, count(*) from steps where activity is not null group by 1, 2, 3
      on conflict (log, activity, next_activity) do update set count = transitions.count + excluded.count
  )
  insert into cases
    select log, stream_id, min(at), max(at), count(*), (array_agg(activity order by position desc))[1]
    from page group by log, stream_id
    on conflict (log, stream_id) do update set
      began_at = least(cases.began_at, excluded.began_at), ended_at = greatest(cases.ended_at, excluded.ended_at),
      events = cases.events + excluded.events, last_activity = excluded.last_activity`;
