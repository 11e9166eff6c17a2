import type { AnsweredCommand } from './send-deposits.js';

/** Runs a statement; `pg` and PGlite both fit. */
export type Query = (
  sql: string,
  parameters: unknown[],
) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>;

/** What the database says about the commands that were answered. */
export interface Proof {
  readonly commands: number;
  readonly events: number;
  readonly accounts: number;
  /** Commands without an event. */
  readonly lost: number;
  /** Commands with more than one. */
  readonly repeated: number;
  /** Events without a command. */
  readonly unasked: number;
  /** Accounts whose versions are not 1 to n. */
  readonly broken: number;
  readonly deposited: number;
  readonly balance: number;
}

const comparison = (schema: string): string => `
with command as (
  select * from json_to_recordset($1) as c("streamId" text, "commandId" text, amount bigint)
), event as (
  select stream_id, version, commit_id, (data ->> 'amount')::bigint as amount
  from "${schema}".events where stream_id = any ($2)
), command_in_log as (
  select "commandId", count(event.version) as times
  from command left join event on stream_id = "streamId" and commit_id = "commandId"
  group by "streamId", "commandId"
), account as (
  select min(version) = 1 and max(version) = count(*) and count(distinct version) = count(*) as is_whole
  from event group by stream_id
)
select
  (select count(*) from command)::int as commands,
  (select count(*) from event)::int as events,
  (select count(*) from account)::int as accounts,
  (select count(*) from command_in_log where times = 0)::int as lost,
  (select count(*) from command_in_log where times > 1)::int as repeated,
  (select count(*) from event where not exists (
    select from command where stream_id = "streamId" and commit_id = "commandId"))::int as unasked,
  (select count(*) from account where not is_whole)::int as broken,
  (select coalesce(sum(amount), 0) from command)::float8 as deposited,
  (select coalesce(sum(amount), 0) from event)::float8 as balance`;

/** Compares the commands with the table of events. */
export async function readProof(
  query: Query,
  schema: string,
  streamIds: readonly string[],
  commands: readonly AnsweredCommand[],
): Promise<Proof> {
  const { rows } = await query(comparison(schema), [JSON.stringify(commands), streamIds]);
  return rows[0] as unknown as Proof;
}

/** What is wrong; empty when every command was applied exactly once. */
export function findFaults(proof: Proof): string[] {
  const { commands, events, lost, repeated, unasked, broken, deposited, balance } = proof;
  return [
    commands === 0 && 'No command was answered.',
    commands !== events && `There are ${events} events of ${commands} commands.`,
    lost > 0 && `${lost} commands were answered and not applied.`,
    repeated > 0 && `${repeated} commands were applied more than once.`,
    unasked > 0 && `${unasked} events are of no command.`,
    broken > 0 && `The versions of ${broken} accounts are not 1 to n.`,
    deposited !== balance && `${deposited} were deposited, and the balance is ${balance}.`,
  ].filter((fault) => fault !== false);
}
