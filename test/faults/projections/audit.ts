import { Client } from 'pg';
import { findOffenders, type Finding } from '../findings.js';
import { factors, ledger } from './ledger.js';

/** What the run does to events, for handlers and the audit to know. */
export const auditTables = `
  create schema audit;
  create table audit.mended (stream text primary key);
  create table audit.skipped (event_id uuid primary key, stream text not null)`;

const live = `(select build, version from event_store_projections.builds where projection = '${ledger}' and role = 'live')`;
const passed = `(select min(coalesce(position, 0)) from event_store_projections.shards join ${live} b using (build)
  where projection = '${ledger}')`;
const factor = `case (select version from ${live} b) ${Object.entries(factors)
  .map(([version, each]) => `when ${version} then ${each}`)
  .join(' ')} end`;

export const invariants = {
  fold: 'the read model is the fold of the log',
  order: 'each stream is applied in order, without a gap',
  once: 'an event is applied once',
  lost: 'what the checkpoint has passed is applied',
  ahead: 'nothing is applied that is not stored, or that the checkpoint has not passed',
  owner: 'who was succeeded writes nothing',
} as const;

/** Each a query for its offenders, of one snapshot, so that they hold at any moment. */
const queries: Readonly<Record<keyof typeof invariants, string>> = {
  fold: `
    select stream, b.balance, f.balance as expected, b.events, f.events as expected_events from ${ledger}.balances b
    join lateral (
      select count(*) as events, coalesce(sum((data ->> 'amount')::bigint), 0) * ${factor} as balance
      from event_store.events where stream_id = b.stream and version <= b.version
      and id not in (select event_id from audit.skipped)
    ) f on true where (b.balance, b.events) is distinct from (f.balance, f.events)`,
  order: `
    select stream, version from (
      select stream, version, lag(version) over (partition by stream order by place) as before from ${ledger}.applied
    ) a where version <= before
    union all select stream, leaps from ${ledger}.balances b
    where leaps > (select count(*) from audit.skipped s where s.stream = b.stream)`,
  once: `select event_id, count(*) from ${ledger}.applied group by event_id having count(*) > 1`,
  lost: `
    select e.stream_id, e.version, e.position from event_store.events e where e.position <= ${passed}
    and not exists (select from ${ledger}.applied a where a.event_id = e.id)
    and not exists (select from audit.skipped s where s.event_id = e.id)`,
  ahead: `
    select a.position from ${ledger}.applied a left join event_store.events e on e.id = a.event_id
    join ${live} b on true
    left join event_store_projections.shards s on s.projection = '${ledger}' and s.build = b.build and s.shard = a.shard
    where e.id is null or (e.stream_id, e.version, e.position) <> (a.stream, a.version, a.position)
    or s.position is null or s.position < a.position
    union all select a.position from ${ledger}.applied a join audit.skipped using (event_id)`,
  owner: `
    select place, shard, token from (
      select place, shard, token, max(token) over (partition by shard order by place) as newest from ${ledger}.applied
    ) a where token < newest`,
};

/** Compares, by plain SQL on a connection of its own, the live read model with the log. */
export async function audit(url: string): Promise<readonly Finding[]> {
  return withConnection(url, async (client) => {
    const named = Object.entries(queries).map(([key, query]) => [invariants[key as 'fold'], query] as const);
    return findOffenders(client, Object.fromEntries(named));
  });
}

/** What a read model doesn't hold that is to hold everything up to a position. */
export async function findMissing(url: string, position: number): Promise<readonly string[]> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query<{ position: string }>(
      `select position from event_store.events e where position <= $1
      and not exists (select from ${ledger}.applied a where a.event_id = e.id)
      and not exists (select from audit.skipped s where s.event_id = e.id) order by position`,
      [position],
    );
    return rows.map((row) => row.position);
  });
}

export async function findLiveVersion(url: string): Promise<number | undefined> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query<{ version: number }>(`select version from ${live} b`);
    return rows[0]?.version;
  });
}

export async function countEvents(url: string): Promise<Readonly<Record<string, number>>> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query<Record<string, number>>(`select
      (select count(*)::integer from event_store.events) as "events stored",
      (select count(*)::integer from ${ledger}.applied) as "events applied",
      (select count(*)::integer from audit.skipped) as "events skipped by an operator",
      (select count(*)::integer from ${ledger}.balances) as streams`);
    return rows[0] ?? {};
  });
}

async function withConnection<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'audit' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
