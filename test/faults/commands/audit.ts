import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { bulkInsert } from '../bulk-insert.js';
import { findOffenders, type Finding } from '../findings.js';
import { readJournal } from '../journal.js';
import type { CallerLine, ForeignLine } from './journal-lines.js';
import { finding, foldLog, judge, type Balances } from './model.js';

/** The state of a wallet as a client is told it. */
export type ReadState = (id: string) => Promise<{ readonly version: number; readonly balance: number }>;

export interface Audit {
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<string, number>>;
}

/** What is counted of the lane that continues as new again and again. */
export const hotLaneRuns = 'runs of a lane of the hot wallet';

/** See `TroubledWallet`. */
const broken = 'Wallet-broken';

const tables = (commands: number): string => `
  create schema audit;
  create view audit.commands as select 'command-' || number as command_id from generate_series(1, ${commands}) number;
  create table audit.calls (
    call text primary key, command_id text, stream_id text, name text, amount integer, sent_at bigint,
    kind text, version integer, event_ids uuid[], deduplicated boolean, error text, answered_at bigint
  );
  create table audit.foreign_appends (
    commit_id text primary key, stream_id text, amount integer, sent_at bigint, kind text, version integer, at bigint
  );
  create view audit.stored as
    select stream_id, version, id, commit_id, type, (data ->> 'amount')::integer as amount,
      metadata ->> 'causationId' as causation_id from event_store.events;
  create view audit.first_sent as
    select command_id as commit_id, min(sent_at) as sent_at from audit.calls group by command_id
    union all select commit_id, sent_at from audit.foreign_appends;
  -- What somebody had been told of a stream, and when.
  create view audit.known as
    select stream_id, version, answered_at as at from audit.calls where kind = 'committed'
    union all select stream_id, version, at from audit.foreign_appends where kind = 'acknowledged'`;

/** Each a query for its offenders, on what the store holds and what callers and the foreign writer wrote down. */
const invariants: Readonly<Record<string, string>> = {
  'each command has an answer': `
    select command_id from audit.commands full join audit.calls using (command_id) group by command_id
    having count(*) filter (where kind in ('committed', 'rejected') or stream_id = '${broken}' and kind = 'failed') = 0`,
  'no answer but committed, rejected, or outcome unknown': `
    select call, command_id, kind, error from audit.calls where kind = 'failed' and stream_id <> '${broken}'`,
  'a broken wallet has its commands fail, by name, with nothing stored': `
    select call, kind, error from audit.calls where stream_id = '${broken}'
      and (kind in ('committed', 'rejected') or kind = 'failed' and error not like '%deposit%No wallet of this kind%')
    union all select commit_id, 'stored', type from audit.stored where stream_id = '${broken}'`,
  'a command is stored once': `
    select stream_id, causation_id, count(*) from audit.stored where causation_id is not null
    group by stream_id, causation_id having count(*) > 1`,
  'the id of a command is the id of its commit': `
    select version, stream_id from audit.stored where causation_id is distinct from commit_id and commit_id not like 'foreign-%'`,
  'what is stored was sent, and is what was sent': `
    select s.commit_id from audit.stored s left join (
      select distinct command_id as commit_id, stream_id, case name when 'deposit' then 'Deposited' else 'Withdrawn' end as type, amount
      from audit.calls
      union all select commit_id, stream_id, case when amount > 0 then 'Deposited' else 'Withdrawn' end, abs(amount)
      from audit.foreign_appends
    ) t on t.commit_id = coalesce(s.causation_id, s.commit_id) and t.stream_id = s.stream_id and t.type = s.type and t.amount = s.amount
    where t.commit_id is null`,
  'what was answered as committed is stored as it was answered': `
    select c.call, c.command_id from audit.calls c
    left join audit.stored s on s.commit_id = c.command_id and s.stream_id = c.stream_id
    where c.kind = 'committed' and (s.version is distinct from c.version or array[s.id] is distinct from c.event_ids)`,
  'who repeats a command is told the same': `
    select command_id from audit.calls where kind = 'committed' group by command_id
    having count(distinct (version, event_ids)) > 1`,
  'a command takes effect for one caller, and was there before for the others': `
    select command_id from audit.calls where kind = 'committed' group by command_id
    having count(*) filter (where not deduplicated) > 1`,
  'what was only ever rejected is not stored': `
    select c.command_id from audit.calls c join audit.stored s on s.causation_id = c.command_id
    group by c.command_id having count(*) filter (where c.kind = 'committed') = 0`,
  'nobody is rejected after a commit was answered': `
    select r.call, r.command_id from audit.calls r join audit.calls c using (command_id)
    where r.kind = 'rejected' and c.kind = 'committed' and c.answered_at < r.sent_at`,
  'an append from elsewhere is stored as it was acknowledged': `
    select f.commit_id from audit.foreign_appends f left join audit.stored s using (commit_id, stream_id)
    where f.kind = 'acknowledged' and s.version is distinct from f.version`,
  'a refused append from elsewhere is not stored': `
    select commit_id from audit.foreign_appends join audit.stored using (commit_id) where kind = 'refused'`,
  'versions of a stream are 1, 2, 3 …': `
    select stream_id from event_store.events group by stream_id
    having min(version) <> 1 or max(version) <> count(*) or count(distinct version) <> count(*)`,
};

/**
 * Compares, by plain SQL and by a fold of the log, what a database holds with the journals in a folder.
 *
 * @param commands how many the callers were to send
 */
export async function audit(
  url: string,
  folder: string,
  commands: number,
  readState: ReadState,
): Promise<Audit> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(tables(commands));
    await loadJournals(client, folder);
    await client.query('analyze');
    const wallets = await foldLog(client);
    const wrongStates: string[] = [];
    const checkState = async ([stream, balances]: readonly [string, Balances]): Promise<void> => {
      const { version, balance } = await readState(stream.slice('Wallet-'.length));
      const last = balances.length - 1;
      if (version !== last || balance !== balances[last]) {
        wrongStates.push(`${stream}: ${balance} at ${version} instead of ${balances[last] ?? ''} at ${last}`);
      }
    };
    await Promise.all([...wallets].map(checkState));
    const { rows } = await client.query<Record<string, number>>(`select
      (select count(distinct command_id)::integer from audit.calls) as commands,
      (select count(*)::integer from audit.calls) as calls,
      (select count(*)::integer from audit.calls where kind = 'committed' and not deduplicated) as "answered committed",
      (select count(*)::integer from audit.calls where kind = 'committed' and deduplicated) as "answered committed before",
      (select count(*)::integer from audit.calls where kind = 'rejected') as "answered rejected",
      (select count(*)::integer from audit.calls where kind = 'unknown') as "answered outcome unknown",
      (select count(*)::integer from audit.calls where kind is null) as "not answered, as the caller was killed",
      (select count(*)::integer from audit.stored) as "events stored",
      (select count(*)::integer from audit.stored where commit_id like 'foreign-%') as "of which from elsewhere",
      (select max(runs)::integer from (
        select count(distinct metadata ->> 'runId') as runs from event_store.events
        where stream_id = 'Wallet-hot' group by metadata ->> 'workflowId') lanes) as "${hotLaneRuns}"`);
    return {
      findings: [
        ...(await findOffenders(client, invariants)),
        ...(await judge(client, wallets)),
        finding('the state that a client reads is the fold of the log', wrongStates),
      ],
      counts: rows[0] ?? {},
    };
  } finally {
    await client.end();
  }
}

async function loadJournals(client: Client, folder: string): Promise<void> {
  const files = await readdir(folder);
  const calls = bulkInsert(client, 'audit.calls (call, command_id, stream_id, name, amount, sent_at)', [
    'text',
    'text',
    'text',
    'text',
    'integer',
    'bigint',
  ]);
  const answers: (readonly unknown[])[] = [];
  for (const file of files.filter((name) => name.endsWith('.caller'))) {
    for await (const line of readJournal<CallerLine>(join(folder, file))) {
      if (line[0] === 'sent') {
        const [, call, { commandId, id, name, amount }, at] = line;
        await calls.add(call, commandId, `Wallet-${id}`, name, amount, at);
      } else {
        answers.push(line);
      }
    }
  }
  await calls.flush();
  await client.query(
    `update audit.calls set kind = a.answer ->> 'kind', version = (a.answer ->> 'version')::integer,
      event_ids = array(select json_array_elements_text(a.answer -> 'eventIds'))::uuid[],
      deduplicated = (a.answer ->> 'deduplicated')::boolean, error = a.answer ->> 'error', answered_at = a.at
    from (select line ->> 1 as call, line -> 2 as answer, (line ->> 3)::bigint as at
      from json_array_elements($1::json) line) a
    where a.call = calls.call`,
    [JSON.stringify(answers)],
  );

  const foreign = bulkInsert(client, 'audit.foreign_appends (commit_id, stream_id, amount, sent_at)', [
    'text',
    'text',
    'integer',
    'bigint',
  ]);
  const ends: (readonly unknown[])[] = [];
  for (const file of files.filter((name) => name.endsWith('.foreign'))) {
    for await (const line of readJournal<ForeignLine>(join(folder, file))) {
      if (line[0] === 'sent') await foreign.add(line[1], `Wallet-${line[2]}`, line[3], line[4]);
      else ends.push(line);
    }
  }
  await foreign.flush();
  await client.query(
    `update audit.foreign_appends set kind = line ->> 0, version = (line ->> 2)::integer, at = (line ->> 3)::bigint
    from json_array_elements($1::json) line where commit_id = line ->> 1`,
    [JSON.stringify(ends)],
  );
}
